import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.spool import Spool, SpoolFull, SpoolTaken

PAYLOADS = st.lists(st.binary(max_size=40), min_size=1, max_size=12)


def drained(spool, limit=3):
    taken = []
    while (chunk := spool.oldest(limit)).payloads:
        taken += chunk.payloads
        spool.drop(chunk)
    return taken


def segments(folder):
    return sorted(folder.glob("*.spool"))


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path)
    yield spool
    spool.close()


def test_what_goes_in_comes_out_in_order(spool):
    spool.append([b"one", b"two"])
    spool.append([b"", b"four"])
    assert spool.waiting == 4
    assert drained(spool) == [b"one", b"two", b"", b"four"]
    assert spool.waiting == 0


def test_reading_does_not_take_away(spool):
    spool.append([b"one", b"two"])
    assert spool.oldest(1).payloads == spool.oldest(1).payloads == [b"one"]


def test_a_large_message_comes_out_although_it_exceeds_the_chunk(spool):
    spool.append([b"x" * 100, b"y"])
    assert spool.oldest(limit_bytes=10).payloads == [b"x" * 100]


def test_an_emptied_spool_leaves_no_bytes_behind(spool, tmp_path):
    spool.append([b"x" * 1000])
    drained(spool)
    assert spool.size_bytes == 0
    assert [path.stat().st_size for path in segments(tmp_path)] == [0]


@given(PAYLOADS, st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_torn_at_any_byte_keeps_every_whole_message_before(tmp_path_factory, payloads, data):
    folder = tmp_path_factory.mktemp("torn")
    spool = Spool(folder)
    for payload in payloads:
        spool.append([payload])
    spool.close()
    (file,) = segments(folder)
    cut = data.draw(st.integers(0, file.stat().st_size))
    os.truncate(file, cut)
    ends = [8 * (index + 1) + sum(map(len, payloads[: index + 1])) for index in range(len(payloads))]
    whole = [payload for payload, end in zip(payloads, ends, strict=True) if end <= cut]
    again = Spool(folder)
    again.append([b"after the crash"])
    assert drained(again) == [*whole, b"after the crash"]
    again.close()


@given(st.lists(st.one_of(PAYLOADS, st.integers(1, 5), st.none()), max_size=25))
@settings(max_examples=60, deadline=None)
def test_any_order_of_appending_taking_and_reopening_keeps_the_queue(tmp_path_factory, steps):
    folder, expected = tmp_path_factory.mktemp("queue"), []
    spool = Spool(folder, segment_bytes=64)
    for step in steps:
        if isinstance(step, list):
            spool.append(step)
            expected += step
        elif step is None:
            spool.close()
            spool = Spool(folder, segment_bytes=64)
        else:
            chunk = spool.oldest(step)
            assert chunk.payloads == expected[: len(chunk.payloads)]
            assert bool(chunk.payloads) == bool(expected)
            spool.drop(chunk)
            del expected[: len(chunk.payloads)]
        assert spool.waiting == len(expected)
    assert drained(spool) == expected
    spool.close()


def test_a_tail_that_is_cut_off_is_kept_beside(tmp_path):
    spool = Spool(tmp_path)
    spool.append([b"whole", b"torn in the middle"])
    spool.close()
    (file,) = segments(tmp_path)
    os.truncate(file, file.stat().st_size - 1)
    Spool(tmp_path).close()
    (kept,) = tmp_path.glob("*.cut-at-*")
    assert kept.read_bytes().endswith(b"torn in the middl")


def test_a_flipped_bit_never_comes_out_as_a_message(tmp_path):
    spool = Spool(tmp_path, segment_bytes=1)
    spool.append([b"first"])
    spool.append([b"second"])
    spool.append([b"third"])
    spool.close()
    middle = segments(tmp_path)[1]
    damaged = bytearray(middle.read_bytes())
    damaged[-1] ^= 1
    middle.write_bytes(damaged)
    again = Spool(tmp_path)
    assert drained(again) == [b"first", b"third"]
    again.close()


def test_a_message_behind_a_lost_segment_does_not_pass_for_delivered(tmp_path):
    spool = Spool(tmp_path)
    spool.append([b"a" * 50, b"b"])
    spool.drop(spool.oldest(1))
    spool.close()
    segments(tmp_path)[0].unlink()
    again = Spool(tmp_path)
    again.append([b"new"])
    assert drained(again) == [b"new"]
    again.close()


def test_a_full_spool_says_so_and_takes_nothing(tmp_path):
    spool = Spool(tmp_path, limit_bytes=100)
    spool.append([b"x" * 50])
    with pytest.raises(SpoolFull, match="limit"):
        spool.append([b"small", b"y" * 50])
    assert drained(spool) == [b"x" * 50]
    spool.append([b"y" * 50])
    spool.close()


def test_two_processes_do_not_share_a_folder(spool, tmp_path):
    with pytest.raises(SpoolTaken, match="another gateway"):
        Spool(tmp_path)


WRITER = """
import sys
from pathlib import Path
from streams.spool import Spool
spool = Spool(Path(sys.argv[1]), segment_bytes=20_000)
number = 0
while True:
    spool.append([b"%d" % number, b"x" * 900])
    print(number, flush=True)
    number += 1
"""


def test_what_was_acknowledged_survives_kill_nine(tmp_path):
    root = Path(__file__).parents[2]
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=root, text=True
    )
    acknowledged = [int(writer.stdout.readline()) for _ in range(60)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.communicate()[0].split()]
    spool = Spool(tmp_path)
    numbers = [int(payload) for payload in drained(spool, 100) if not payload.startswith(b"x")]
    assert numbers[: len(acknowledged)] == acknowledged
    assert len(numbers) <= len(acknowledged) + 1
    spool.close()
