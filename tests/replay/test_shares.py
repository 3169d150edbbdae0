"""Messages are laid aside in shares that fit into memory: each message once, conversations whole and in order."""

import resource
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay import shares as laying
from replay.shares import shares
from schemas.facts import Facts
from schemas.rows import position_of
from schemas.time import MINUTE_US
from streams.archive.layout import Archive
from tests.replay.made_days import DAY, archived, event

_LIMIT = 2_000
"""Bytes of a share, here."""


def said_by(source, number, minute, size=1):
    """A message of a minute of the day, as an archiver sees it."""
    raw = f"{number:04}".encode() + bytes(size)
    made = event(number, DAY.start_us + minute * MINUTE_US, raw=raw)._replace(source=source)
    return made, position_of(15, 0, number), Facts()


def laid_aside(folder, *segments):
    """Of each share: whether it goes on, and source, minute and offset of its messages."""
    archive = archived(Archive(Path(folder)), *segments)
    with pytest.MonkeyPatch.context() as patch, shares_of(patch, archive) as found:
        return [(share.goes_on, [line for part in share.parts for line in lines(part)]) for share in found]


def shares_of(patch, archive):
    patch.setattr(laying, "SHARE_BYTES", _LIMIT)
    patch.setattr(laying, "_ASIDE_BYTES", 3 * _LIMIT)
    patch.setattr(laying, "_BLOCK_ROWS", 3)
    patch.setattr(laying, "_PART_ROWS", 4)
    return shares(archive, DAY)


def lines(part):
    columns = (part[name].to_pylist() for name in ("source", "time_us", "offset"))
    return [
        (source, (time_us - DAY.start_us) // MINUTE_US, offset)
        for source, time_us, offset in zip(*columns, strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9), st.integers(0, 900)), min_size=1, max_size=60),
    st.integers(1, 30),
)
def test_each_message_is_in_one_share_and_each_conversation_in_order(drawn, per_segment):
    said = [said_by(source, number, *rest) for number, (source, *rest) in enumerate(drawn)]
    segments = [said[start : start + per_segment] for start in range(0, len(said), per_segment)]
    with tempfile.TemporaryDirectory() as folder:
        found = laid_aside(folder, *segments)
    everything = [line for _, share in found for line in share]
    assert sorted(everything) == sorted((source, minute, at) for at, (source, minute, _) in enumerate(drawn))
    for source in "abcdef":
        mine = [line for line in everything if line[0] == source]
        assert mine == sorted(mine)
    for (_, before), (goes_on, share) in pairwise(found):
        assert ({line[0] for line in share} == {line[0] for line in before}) is goes_on
        assert goes_on or not {line[0] for line in share} & {line[0] for line in before}


def test_many_small_conversations_fill_one_share_after_the_other(tmp_path):
    found = laid_aside(tmp_path, [said_by(f"box{number}", number, 0, 300) for number in range(40)])
    assert [goes_on for goes_on, _ in found] == [False] * len(found)
    sizes = [len(share) for _, share in found]
    assert len(set(sizes[:-1])) == 1
    assert 1 < sizes[0] <= _LIMIT // 300
    assert sizes[-1] <= sizes[0]


def test_a_conversation_larger_than_a_share_is_cut_by_time(tmp_path):
    said = [said_by("gateway", number, number // 2, 1_000) for number in range(40)]
    found = laid_aside(tmp_path, said[1::2], said[::2])
    assert [goes_on for goes_on, _ in found] == [False] + [True] * (len(found) - 1)
    assert [line for _, share in found for line in share] == [("gateway", at // 2, at) for at in range(40)]
    assert max(len(share) for _, share in found) <= 4


def test_what_is_said_in_one_instant_is_not_parted(tmp_path):
    found = laid_aside(tmp_path, [said_by("gateway", number, 7, 1_000) for number in range(40)])
    assert [len(share) for _, share in found] == [40]


def test_nothing_is_left_on_disk(tmp_path):
    archive = archived(Archive(tmp_path), [said_by("box", 1, 2)])
    before = sorted(tmp_path.rglob("*"))
    with shares(archive, DAY) as found:
        assert found.messages == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_named(tmp_path):
    archive = archived(Archive(tmp_path), [said_by(f"box{number}", number, 0, 900) for number in range(400)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="lays those of its day aside here") as caught, shares(archive, DAY):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(archive.folder)
