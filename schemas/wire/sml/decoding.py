"""Telegrams to payloads: the messages between the escape sequences (BSI TR-03109-1, annex IV b, clause 5)."""

import re
from typing import Any, Final

from schemas.devices import device_name, is_named
from schemas.wire.contract import BadSyntax, Conversation, Decoded, Frame, SchemaViolation, Unsupported, WireError
from schemas.wire.sml.checksums import KERMIT, kind_of
from schemas.wire.sml.elements import LIST, STRINGS, Element, element, head, list_start
from schemas.wire.sml.rows import TIMES, Row, hex_of, instant_of, number_of, row_of, rows_of, time_of, usual_time
from schemas.wire.sml.transport import unwrap

BAD_MESSAGE_CHECKSUM: Final = "message-checksum"
"""Flag: the telegram is whole, but a message in it does not fit its own check sum, so it was changed on its way."""

_NAMES: Final = {
    0x0100: "OpenRequest",
    0x0101: "OpenResponse",
    0x0200: "CloseRequest",
    0x0201: "CloseResponse",
    0x0300: "GetProfilePackRequest",
    0x0301: "GetProfilePackResponse",
    0x0400: "GetProfileListRequest",
    0x0401: "GetProfileListResponse",
    0x0500: "GetProcParameterRequest",
    0x0501: "GetProcParameterResponse",
    0x0600: "SetProcParameterRequest",
    0x0700: "GetListRequest",
    0x0701: "GetListResponse",
    0xFF01: "AttentionResponse",
}
_OPEN, _CLOSE = 0x0101, 0x0201
_LIST, _PROFILE_PACK, _PROFILE_LIST, _ATTENTION = 0x0701, 0x0301, 0x0401, 0xFF01
_MESSAGE_FIELDS: Final = 6
_OBIS_OF_IDS: Final = frozenset({"1-0:96.1.0", "1-0:0.0.9"})
_START: Final = len("1b1b1b1b01010101") // 2

# What nearly every message looks like, read at once; whatever else the encoding allows is read value by value.
_TEXT: Final = rf"(?:\x01|{STRINGS})"
# The envelope: transaction, group, what to do on errors, and the number of the message's kind.
_USUAL: Final = re.compile(rf"\x76{_TEXT}\x62.\x62.\x72(?:\x63(..)|\x65\x00\x00(..))".encode(), re.DOTALL)
# An open response; the fourth field is the sender's number.
_USUAL_OPEN: Final = re.compile(rf"\x76{_TEXT}{{3}}({_TEXT}){TIMES}(?:\x01|\x62.)".encode(), re.DOTALL)
# The fields of a list before its values: client, sender, name, time.
_USUAL_LIST: Final = re.compile(rf"\x77{_TEXT}({_TEXT})({_TEXT})({TIMES})".encode(), re.DOTALL)

# The check sum of a message and its end; some meters leave the high octet out where it is zero.
_END: Final = re.compile(rb"(?:\x63(..)|\x62(.))\x00", re.DOTALL)
_CLOSE_BODY: Final = b"\x71\x01"


class _Said:
    """What the messages of a telegram say, gathered."""

    def __init__(self) -> None:
        self.lists: list[dict[str, Any]] = []
        self.attentions: list[dict[str, Any]] = []
        self.others: list[str] = []
        self.flags: set[str] = set()
        self.opened_by: str | None = None
        self.type = ""


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The lists and attentions of a telegram; offsets in errors count the bytes without doubled escapes.

    Raises:
        WireError: truncated, damaged, not SML, or no message in it that is read here.
    """
    content, checksum = unwrap(frame.raw)
    said = _Said()
    at = 0
    try:
        while at < len(content):
            at = _message(content, at, said)
    except WireError as error:
        error.offset += _START
        raise
    if not said.type:
        raise Unsupported(f"the telegram holds no list, profile or attention but {', '.join(said.others) or 'nothing'}")
    payload: dict[str, Any] = {"lists": said.lists}
    if said.attentions:
        payload["attentions"] = said.attentions
    if said.others:
        payload["not_read"] = said.others
    if checksum == KERMIT:
        payload["checksum"] = KERMIT
    if said.flags:
        payload["flags"] = sorted(said.flags)
    return Decoded(said.type, f"meter:{_meter(said, frame.source)}", _time_us(said, frame), payload)


def _message(content: bytes, at: int, said: _Said) -> int:
    """Read a message; where it ends."""
    start = at
    usual = _USUAL.match(content, at)
    if usual:
        kind, at = int.from_bytes(usual[1] or usual[2]), usual.end()
    else:
        kind, at = _envelope(content, at)
    read = _READERS.get(kind)
    if read:
        at = read(content, at, said)
    else:
        _, at = element(content, at)
        said.others.append(_NAMES.get(kind, f"message {kind:08x}"))
    end = _END.match(content, at)
    if end is None:
        raise BadSyntax("a message ends with its check sum and 00", at)
    if kind_of(content[start:at], (end[1] or end[2]).rjust(2, b"\0")) is None:
        said.flags.add(BAD_MESSAGE_CHECKSUM)
    return end.end()


def _envelope(content: bytes, at: int) -> tuple[int, int]:
    """The number of a message's kind, and where its body stands."""
    at = list_start(content, at, _MESSAGE_FIELDS, "a message")
    for _ in ("transaction", "group", "abort on error"):
        _, at = element(content, at)
    at = list_start(content, at, 2, "the body of a message")
    kind, at = element(content, at)
    if type(kind) is not int or kind < 0:
        raise SchemaViolation("the body of a message starts with the number of its kind", at)
    return kind, at


def _open(content: bytes, at: int, said: _Said) -> int:
    """SML_PublicOpen.Res; it names the meter too."""
    if usual := _USUAL_OPEN.match(content, at):
        said.opened_by = usual[1][1:].hex().upper()
        return usual.end()
    body, at = _fields(content, at, 6, "OpenResponse")
    said.opened_by = hex_of(body[3], "serverId", at)
    return at


def _close(content: bytes, at: int, _said: _Said) -> int:
    """SML_PublicClose.Res: nothing but a signature nobody uses."""
    if content.startswith(_CLOSE_BODY, at):
        return at + len(_CLOSE_BODY)
    _, at = _fields(content, at, 1, "CloseResponse")
    return at


def _list(content: bytes, at: int, said: _Said) -> int:
    """SML_GetList.Res."""
    found, at = _list_head(content, at)
    kind, count, start = head(content, at)
    if kind != LIST:
        raise BadSyntax("the values of a GetListResponse are a list", at)
    found["values"], at = rows_of(content, start, count)
    signature, at = element(content, at)
    gateway_time, at = element(content, at)
    if signature is not None:
        found["signature"] = hex_of(signature, "listSignature", at)
    if gateway_time is not None:
        found["gateway_time"] = time_of(gateway_time, at)
    said.lists.append(found)
    said.type = "sml.list"
    return at


def _list_head(content: bytes, at: int) -> tuple[dict[str, Any], int]:
    """Sender, name and time of a list, and where its values stand."""
    if usual := _USUAL_LIST.match(content, at):
        server, name, time = usual.groups()
        found = {
            "server": server[1:].hex().upper() or None,
            "name": name[1:].hex().upper() or None,
            "time": usual_time(time),
        }
        return found, usual.end()
    at = list_start(content, at, 7, "a GetListResponse")
    _, at = element(content, at)
    server, at = element(content, at)
    name, at = element(content, at)
    time, at = element(content, at)
    return {
        "server": hex_of(server, "serverId", at),
        "name": hex_of(name, "listName", at),
        "time": time_of(time, at),
    }, at


def _profile_pack(content: bytes, at: int, said: _Said) -> int:
    """SML_GetProfilePack.Res: a table with a row for every period, flattened."""
    body, at = _fields(content, at, 8, "GetProfilePackResponse")
    headers, periods = body[4], body[5]
    if not isinstance(headers, list) or not isinstance(periods, list):
        raise SchemaViolation("a profile holds a list of registers and a list of periods", at)
    rows: list[Row] = []
    for period in periods:
        if not isinstance(period, list) or len(period) != 4 or not isinstance(values := period[2], list):
            raise SchemaViolation("a period holds a time, a status, values and a signature", at)
        if len(values) != len(headers):
            raise SchemaViolation(f"a period of {len(values)} values in a profile of {len(headers)} registers", at)
        time, status = time_of(period[0], at), number_of(period[1], "status", at)
        for register, value in zip(headers, values, strict=True):
            if not isinstance(register, list) or not isinstance(value, list):
                raise SchemaViolation("registers and values of a profile are lists", at)
            rows.append(row_of([*register, *value], time, status, at))
    _add_profile(body, rows, at, said)
    return at


def _profile_list(content: bytes, at: int, said: _Said) -> int:
    """SML_GetProfileList.Res: the values of one period."""
    body, at = _fields(content, at, 9, "GetProfileListResponse")
    time, status = time_of(body[4], at), number_of(body[5], "status", at)
    if not isinstance(body[6], list):
        raise SchemaViolation("the values of a period are a list", at)
    _add_profile(body, [row_of(entry, time, status, at) for entry in body[6]], at, said)
    return at


def _add_profile(body: list[Element], rows: list[Row], at: int, said: _Said) -> None:
    found = {
        "server": hex_of(body[0], "serverId", at),
        "name": None,
        "time": time_of(body[1], at),
        "values": rows,
        "period_s": number_of(body[2], "regPeriod", at),
    }
    said.lists.append(found)
    said.type = said.type or "sml.profile"


def _attention(content: bytes, at: int, said: _Said) -> int:
    """SML_Attention.Res: something went well or wrong; its number tells what (clause 5.1.13)."""
    body, at = _fields(content, at, 4, "AttentionResponse")
    found = {
        "server": hex_of(body[0], "serverId", at),
        "number": hex_of(body[1], "attentionNo", at),
        "text": hex_of(body[2], "attentionMsg", at),
    }
    said.attentions.append(found)
    said.type = said.type or "sml.attention"
    return at


def _fields(content: bytes, at: int, count: int, what: str) -> tuple[list[Element], int]:
    body, at = element(content, at)
    if not isinstance(body, list) or len(body) != count:
        raise SchemaViolation(f"a {what} has {count} fields", at)
    return body, at


def _meter(said: _Said, source: str) -> str:
    """The meter a telegram is about: who sent the lists, who opened the telegram, or what a list names as its meter.

    One without a name, or whose name is zeros alone as many meters have it, is known by where it was heard.
    """
    senders = [found["server"] for found in (*said.lists, *said.attentions)]
    for server in (*senders, said.opened_by):
        if is_named(server):
            return device_name(server)
    for row in (row for found in said.lists for row in found["values"]):
        if row[0] in _OBIS_OF_IDS and isinstance(row[1], str) and is_named(row[1]):
            return device_name(row[1])
    unnamed = source or next((server for server in (*senders, said.opened_by) if server), None)
    if unnamed is None:
        raise SchemaViolation("the telegram names no meter, neither as serverId nor in 1-0:96.1.0")
    return unnamed


def _time_us(said: _Said, frame: Frame) -> int | None:
    """When: the meter's clock if it has one, else the log's stamp, else the latest time of a value."""
    clocks = [time_us for found in said.lists if (time_us := instant_of(found["time"])) is not None]
    if clocks:
        return max(clocks)
    if frame.time_us is not None:
        return frame.time_us
    times = (instant_of(row[5]) for found in said.lists for row in found["values"])
    return max((time_us for time_us in times if time_us is not None), default=None)


_READERS: Final = {
    _OPEN: _open,
    _CLOSE: _close,
    _LIST: _list,
    _PROFILE_PACK: _profile_pack,
    _PROFILE_LIST: _profile_list,
    _ATTENTION: _attention,
}
