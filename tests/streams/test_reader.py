import gzip
import io
import os
from types import SimpleNamespace

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import UNDECODED, Event
from schemas.wire.contract import BadSyntax, Decoded, Frame, Malformed, TooLarge, Truncated, WireFormat
from streams import reader, sources
from streams.reader import Conversations, Rejected, read, read_again
from streams.sources import Meter, find

LOG = b"".join(b"note %d\n" % number for number in range(2000))


def memo_split(stream):
    """Lines; `@NAME text` says who spoke, `%...` cannot be cut, `^` breaks the splitter."""
    offset = 0
    for line in stream:
        text = line.rstrip(b"\n")
        if text == b"^":
            raise RuntimeError("splitter out of order")
        if text.startswith(b"%"):
            yield Malformed(text, offset, BadSyntax("starts with a per cent sign"))
        elif text.startswith(b"@"):
            name, _, said = text[1:].partition(b" ")
            yield Frame(said, offset, source=name.decode())
        elif text:
            yield Frame(text, offset)
        offset += len(line)


def memo_decode(frame, conversation):
    if frame.raw == b"wrong":
        raise BadSyntax("wrong is wrong", 3)
    if frame.raw == b"bug":
        raise ZeroDivisionError("a bug in the decoder")
    before = conversation.memory.get("last")
    conversation.memory["last"] = frame.event_id
    return Decoded("memo.note", "actor", frame.time_us, {"text": frame.raw.decode("latin-1"), "before": before})


MEMO = WireFormat("memo", "Memo", lambda head, _name: not head.startswith(b"<"), memo_split, memo_decode)


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    formats = {"1": ("memo",), "2": ()}

    def interface(number):
        if number not in formats:
            raise ValueError(number)
        return SimpleNamespace(number=number, formats=formats[number])

    def recognise(number, head, name):
        return MEMO if formats[number] and MEMO.recognise(head, name) else None

    monkeypatch.setattr(reader, "interface_of", interface)
    monkeypatch.setattr(reader, "format_of", {"memo": MEMO}.__getitem__)
    monkeypatch.setattr(reader, "recognise", recognise)


def texts(outcomes):
    return [outcome.payload["text"] if isinstance(outcome, Event) else outcome.reason for outcome in outcomes]


def written(path, data):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


PACKED = {
    "plain": LOG,
    "gzip": gzip.compress(LOG),
    "two gzip members": gzip.compress(LOG[:5000]) + gzip.compress(LOG[5000:]) + bytes(512),
    "zstd": zstandard.compress(LOG),
    "two zstd frames": zstandard.compress(LOG[:5000]) + zstandard.compress(LOG[5000:]),
}


@pytest.mark.parametrize("kind", PACKED)
def test_compression_is_told_by_the_first_bytes(tmp_path, kind):
    path = written(tmp_path / "log", PACKED[kind])
    assert texts(read(path, "1")) == [f"note {number}" for number in range(2000)]


@pytest.mark.parametrize(("suffix", "kind"), [(".gz", "gzip"), (".zst", "zstd"), (".GZ", "gzip")])
def test_a_compressed_copy_gives_the_same_events(tmp_path, suffix, kind):
    plain = written(tmp_path / "street.log", LOG)
    packed = written(tmp_path / f"street.log{suffix}", PACKED[kind])
    assert list(read(plain, "1")) == list(read(packed, "1"))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_truncated_compression_gives_what_was_whole_and_says_so(tmp_path, kind):
    path = written(tmp_path / "log", PACKED[kind][:-6])
    *notes, last = read(path, "1")
    assert last.reason == "truncated"
    assert texts(notes) == [f"note {number}" for number in range(len(notes))]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_read_in_large_pieces_loses_nothing_before_a_compression_breaks_off(pack):
    log = LOG * 20
    stream = sources.expand(io.BytesIO(pack(log)[:-6]))
    head = stream.read(1 << 20)
    assert len(head) > len(log) // 2
    assert log.startswith(head)
    with pytest.raises(Truncated):
        stream.read(1 << 20)


def test_a_splitter_that_is_content_with_a_part_does_not_hide_that_it_is_one(tmp_path, monkeypatch):
    once = MEMO._replace(split=lambda stream: iter([Frame(stream.read(1 << 20), 0)]))
    monkeypatch.setattr(reader, "recognise", lambda *_: once)
    part, rest = read(written(tmp_path / "log", PACKED["gzip"][:-6]), "1")
    assert LOG.startswith(part.raw)
    assert (rest.reason, rest.offset) == ("truncated", len(part.raw))


def test_a_damaged_compression_is_a_reject_and_not_an_end(tmp_path):
    damaged = bytearray(PACKED["gzip"])
    damaged[len(damaged) // 2] ^= 0xFF
    written(tmp_path / "logs" / "a.gz", bytes(damaged))
    written(tmp_path / "logs" / "b", b"good\n")
    outcomes = texts(read(tmp_path / "logs", "1"))
    assert outcomes[-1] == "good"
    assert "bad-syntax" in outcomes


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_is_not_expanded(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(sources, "FREE_EXPANSION_BYTES", 100_000)
    (rejected,) = read(written(tmp_path / "bomb", pack(bytes(20_000_000))), "2")
    assert rejected.reason == "too-large"
    assert "expands" in rejected.detail


def test_a_given_limit_of_expansion_holds(tmp_path):
    path = written(tmp_path / "log.gz", PACKED["gzip"])
    assert texts(read(path, "1", meter=Meter(expanded_limit_bytes=1000)))[-1] == "too-large"


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LINE_LIMIT_BYTES", 1000)
    path = written(tmp_path / "log", b"short\n" + b"x" * 5000)
    assert texts(read(path, "1")) == ["short", "too-large"]


def test_a_folder_is_walked_in_sorted_order_without_hidden_files(tmp_path):
    for name in ("b", "a", ".hidden", "c"):
        written(tmp_path / name, name.encode())
    written(tmp_path / "aa" / "z", b"aa/z")
    assert texts(read(tmp_path, "1")) == ["a", "aa/z", "b", "c"]


def test_nothing_at_the_path_is_said_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read(tmp_path / "missing", "1"))


def test_an_unknown_interface_is_said_before_reading():
    with pytest.raises(ValueError, match="99"):
        read(b"note", "99")


def test_an_interface_without_decoder_keeps_the_whole_file(tmp_path):
    (event,) = read(written(tmp_path / "trace.bin", LOG), "2")
    assert (event.type, event.actor, event.raw, event.source) == (UNDECODED, "interface:2", LOG, "trace.bin")


def test_an_interface_without_decoder_keeps_lines_of_a_line_file(tmp_path):
    events = list(read(written(tmp_path / "trace.jsonl.gz", gzip.compress(b'{"a":1}\r\n\n{"b":2}')), "2"))
    assert [event.raw for event in events] == [b'{"a":1}', b'{"b":2}']


def test_bytes_that_fit_no_format_are_rejected_by_name():
    (rejected,) = read(b"<xml/>", "1")
    assert (rejected.reason, rejected.raw) == ("unrecognised", b"<xml/>")
    assert "Memo" in rejected.detail


def test_an_empty_file_says_nothing(tmp_path):
    assert list(read(written(tmp_path / "empty", b""), "1")) == []


def test_a_wrong_message_is_rejected_with_bytes_reason_and_place():
    before, rejected, after = read(b"a\nwrong\nb\n", "1", "street")
    assert rejected == Rejected("1", "street", b"wrong", 2, None, "memo", "bad-syntax", "wrong is wrong (byte 3)")
    assert texts([before, after]) == ["a", "b"]


def test_a_bug_in_a_decoder_stops_nothing_and_is_logged(caplog):
    before, rejected, after = read(b"a\nbug\nb\n", "1")
    assert (rejected.reason, rejected.detail) == ("decoder-error", "ZeroDivisionError: a bug in the decoder")
    assert texts([before, after]) == ["a", "b"]
    assert "a bug in the decoder" in caplog.text


@pytest.mark.parametrize("what", ["path", "bytes", "stream"])
def test_a_bug_in_a_splitter_keeps_the_rest_of_the_file(tmp_path, what):
    data = b"a\nb\n^\nc\n"
    given_as = {"path": written(tmp_path / "log", data), "bytes": data, "stream": io.BytesIO(data)}[what]
    *_, rest = read(given_as, "1")
    assert (rest.reason, rest.raw, rest.offset) == ("decoder-error", b"\n^\nc\n", 3)


def test_what_cannot_be_cut_is_rejected_and_the_cutting_goes_on():
    assert texts(read(b"a\n%b\nc\n", "1")) == ["a", "bad-syntax", "c"]


def test_a_message_that_is_too_large_is_rejected(monkeypatch):
    monkeypatch.setattr(reader, "RAW_LIMIT_BYTES", 10)
    assert texts(read(b"short\nmuch too long\n", "1")) == ["short", "too-large"]
    assert texts(read(b"much too long", "2")) == ["too-large"]


def test_the_log_names_the_source_before_the_caller_and_the_file(tmp_path):
    path = written(tmp_path / "street.log", b"a\n@car b\n")
    assert [event.source for event in read(path, "1")] == ["street.log", "car"]
    assert [event.source for event in read(path, "1", "given")] == ["given", "car"]


@pytest.mark.parametrize("name", [b"caf\xe9.log", "caf\u00e9.log".encode(), b"plain.log"])
def test_a_file_name_that_is_no_text_is_a_source_all_the_same(tmp_path, name):
    (tmp_path / os.fsdecode(name)).write_bytes(b"a\n@who\0 b\nwrong")
    sources_read = [outcome.source for outcome in read(tmp_path, "1")]
    assert sources_read[1] == "who\N{SYMBOL FOR NULL}"
    assert all(source.encode() and "\0" not in source for source in sources_read)


def test_each_source_has_its_own_conversation():
    first, of_car, again, car_again = read(b"a\n@car b\nc\n@car d\n", "1")
    assert first.payload["before"] is None
    assert of_car.payload["before"] is None
    assert again.payload["before"] == first.id
    assert car_again.payload["before"] == of_car.id


def test_two_files_of_one_name_are_two_conversations(tmp_path):
    for folder in ("one", "two"):
        written(tmp_path / folder / "log", folder.encode())
    assert [event.payload["before"] for event in read(tmp_path, "1")] == [None, None]


def test_conversations_forget_the_longest_silent():
    conversations = Conversations(limit=2)
    first = conversations.of("1", "a")
    second = conversations.of("1", "b")
    assert conversations.of("1", "a") is first
    conversations.of("1", "c")
    assert conversations.of("1", "a") is first
    assert conversations.of("1", "b") is not second


def test_a_given_time_stamps_what_has_none():
    (event,) = read(b"note", "1", time_us=7)
    assert (event.time_us, event.log_time_us) == (7, 7)
    (undecoded,) = read(b"note", "2", time_us=7)
    assert (undecoded.time_us, undecoded.log_time_us) == (7, 7)


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd"])
def test_the_meter_ends_at_the_size_of_the_files(tmp_path, kind):
    for name in ("a", "b"):
        written(tmp_path / name, PACKED[kind])
    meter = Meter()
    seen = [meter.read_bytes for _ in read(tmp_path, "1", meter=meter)]
    assert seen == sorted(seen)
    assert meter.read_bytes == sum(source.size_bytes for source in find(tmp_path))


def test_a_stream_is_read_from_where_it_stands_and_left_open():
    stream = io.BytesIO(b"skip\nnote\n")
    stream.seek(5)
    assert texts(read(stream, "1")) == ["note"]
    assert not stream.closed


def test_reading_again_gives_the_same_event():
    event, rejected = read(b"a\nwrong", "1", "street", time_us=5)
    assert read_again(event) == [event]
    assert read_again(rejected)[0].id == rejected.id


def test_reading_again_cuts_what_was_never_cut(monkeypatch):
    (undecoded,) = read(b"a\nb\n", "2", "street")
    assert texts(read_again(undecoded._replace(interface="1"))) == ["a", "b"]
    _, rest = read(b"a\n^\nb", "1")
    assert texts(read_again(rest._replace(raw=rest.raw.replace(b"^", b"mended")))) == ["mended", "b"]


@given(st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]), st.binary(max_size=200))
def test_arbitrary_bytes_never_stop_the_reading(magic, data):
    for number in ("1", "2"):
        assert all(isinstance(outcome, (Event, Rejected)) for outcome in read(magic + data, number))


def test_a_long_read_is_refused(monkeypatch):
    monkeypatch.setattr(sources, "READ_LIMIT_BYTES", 100)
    with pytest.raises(TooLarge):
        sources.expand(io.BytesIO(bytes(101))).read()
    assert sources.expand(io.BytesIO(bytes(100))).read() == bytes(100)


def test_a_small_message_reserves_little_memory():
    import tracemalloc

    from streams.sources import expand

    tracemalloc.start()
    assert expand(io.BytesIO(b"x" * 100)).read() == b"x" * 100
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024
