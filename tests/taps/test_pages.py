import time

import pytest

from streams.reader import Conversations, read
from streams.spool import SpoolTaken
from streams.taps import pages as pages_module
from streams.taps.pages import NOT_RECORDED, Note, Pages, pages_in, read_page

CONTEXT = {"direction": "to_csms"}


def note(number, size=10):
    return Note("ocpp", f"CP-{number}", 1_774_746_000_000_000 + number, b"x" * size, CONTEXT)


@pytest.fixture
def written(tmp_path):
    """Function: writes notes and gives back what the pages hold."""

    def write(notes, **limits):
        pages = Pages(tmp_path, **limits)
        for each in notes:
            pages.note(each)
        pages.start()
        pages.stop()
        return [each for page in pages_in(tmp_path) for each in read_page(page)]

    return write


def test_what_was_noted_stands_on_pages_in_order(written):
    notes = [note(number, size=number * 1000) for number in range(50)]
    assert written(notes) == notes


def test_a_long_day_is_cut_into_pages(written, tmp_path):
    notes = [note(number, size=1 << 20) for number in range(10)]
    assert written(notes) == notes
    assert len(pages_in(tmp_path)) == 3


def test_a_tap_that_starts_again_writes_on_behind_what_waits(written):
    first = written([note(1)])
    assert written([note(2)]) == [*first, note(2)]


def test_a_page_that_was_never_finished_is_read_as_far_as_it_is_whole(written, tmp_path):
    notes = [note(1), note(2)]
    written(notes)
    page = pages_in(tmp_path)[0]
    page.with_name("000000000009.part").write_bytes(page.read_bytes()[:-1])
    assert written([note(3)]) == [*notes, note(1), note(3)]
    read_page(pages_in(tmp_path)[1])
    assert (tmp_path / "000000000009.damaged").exists()


def test_what_is_written_while_many_pages_wait_outlives_a_kill(tmp_path):
    for number in range(1, 102):
        (tmp_path / f"{number:012d}.page").write_bytes(b"")
    pages = Pages(tmp_path)
    pages.start()
    notes = [note(number) for number in range(3)]
    for each in notes:
        pages.note(each)
        time.sleep(0.1)
    kept = (tmp_path / "000000000102.part").read_bytes()
    pages.stop()
    assert (tmp_path / "000000000102.page").read_bytes() == kept
    assert read_page(tmp_path / "000000000102.page") == notes


def test_no_trouble_is_said_when_a_page_is_taken_while_its_size_is_asked(tmp_path, caplog, monkeypatch):
    taken = tmp_path / "000000000001.page"
    monkeypatch.setattr(pages_module, "pages_in", lambda _: [taken])
    pages = Pages(tmp_path)
    pages.note(note(1))
    pages.start()
    pages.stop()
    assert read_page(tmp_path / "000000000002.page") == [note(1)]
    assert not caplog.records


def test_two_taps_cannot_write_in_one_folder(tmp_path):
    first = Pages(tmp_path)
    with pytest.raises(SpoolTaken, match="give this one its own"):
        Pages(tmp_path)
    first.start()
    first.stop()


def test_a_full_disk_keeps_notes_in_memory_until_there_is_room(tmp_path):
    pages = Pages(tmp_path, limit_bytes=1000)
    pages.start()
    pages.note(note(1, size=700))
    until(lambda: pages_in(tmp_path))
    pages.note(note(2, size=700))
    time.sleep(0.2)
    [first] = pages_in(tmp_path)
    assert read_page(first) == [note(1, size=700)]
    first.unlink()
    until(lambda: pages_in(tmp_path))
    assert read_page(pages_in(tmp_path)[0]) == [note(2, size=700)]
    pages.stop()


def test_where_memory_is_full_too_messages_are_counted_and_the_gap_is_told(written):
    kept, *missed = [note(number, size=600) for number in range(4)]
    held, gap = written([kept, *missed], held_limit_bytes=1000)
    assert held == kept
    assert (gap.format, gap.source, gap.time_us) == (NOT_RECORDED, "CP-1", missed[0].time_us)
    assert gap.context == {"count": 3, "until_us": missed[-1].time_us}
    [rejected] = gap.outcomes("4", Conversations())
    assert rejected.reason == NOT_RECORDED
    assert "3 messages were passed on" in rejected.detail


def test_a_note_becomes_the_event_that_a_log_of_it_becomes():
    line = (
        b'{"time": "2026-03-29T01:00:00Z", "station": "CP-1", "direction": "to_csms", "frame": [2,"1","Heartbeat",{}]}'
    )
    [logged] = read(line, "4")
    frame = b'[2,"1","Heartbeat",{}]'
    [noted] = Note("ocpp", "CP-1", logged.log_time_us, frame, CONTEXT).outcomes("4", Conversations())
    assert noted == logged


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
