"""What goes wrong on the way loses nothing that was not meant to be lost."""

from collections import Counter

import pytest

from replay.scenario.faults import DEFAULT_FAULTS, NO_FAULTS, Faults, disturbed
from replay.scenario.message import Message, Orderly, merged
from schemas.time import MINUTE_US, SECOND_US


def stream(count, interface="15"):
    return [Message(n * SECOND_US, interface, f"meter {n % 7}", b"%d" % n, {}) for n in range(count)]


def test_without_faults_messages_pass_as_they_are():
    assert list(disturbed(stream(500), NO_FAULTS, 1)) == stream(500)


def test_every_message_arrives_once_or_twice_and_none_is_changed():
    sent = stream(20_000)
    heard = Counter(message[:4] for message in disturbed(sent, DEFAULT_FAULTS, 1))
    assert heard.keys() == {message[:4] for message in sent}
    twice = sum(1 for count in heard.values() if count == 2)
    assert set(heard.values()) == {1, 2}
    assert 5 < twice < 50


def test_a_late_message_keeps_its_stamp_and_comes_within_half_an_hour():
    heard = list(disturbed(stream(20_000), Faults(late_per_million=5_000, twice_per_million=0), 1))
    late, now_us = [], 0
    for message in heard:
        if message.time_us < now_us:
            late.append(now_us - message.time_us)
        now_us = max(now_us, message.time_us)
    assert 50 < len(late) < 200
    assert max(late) < 30 * MINUTE_US


def test_the_same_seed_disturbs_the_same_messages_and_another_one_others():
    first, again, other = (list(disturbed(stream(20_000), DEFAULT_FAULTS, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_stations_say_is_left_alone_because_an_answer_needs_its_call_before_it():
    sent = stream(20_000, interface="4")
    assert list(disturbed(sent, DEFAULT_FAULTS, 1)) == sent


def test_batches_that_overlap_a_little_come_out_in_order():
    orderly = Orderly(10 * SECOND_US)
    messages = stream(100)
    first = list(orderly.take(reversed(messages[:40]), 50 * SECOND_US))
    second = list(orderly.take(reversed(messages[40:]), 100 * SECOND_US))
    assert [*first, *second, *orderly.rest()] == messages
    assert first == messages[:40]


def test_merged_streams_are_in_order():
    odd, even = stream(50)[1::2], stream(50)[::2]
    assert list(merged(odd, even)) == stream(50)


@pytest.mark.parametrize(("site", "seconds"), [(1, 3), (5, -4), (9, 12), (21, 0), (109, 12), (13, 3)])
def test_clocks_are_off_by_a_few_seconds_and_one_of_a_hundred_by_twelve(site, seconds):
    assert DEFAULT_FAULTS.drift_s(site) == seconds
    assert NO_FAULTS.drift_s(site) == 0
