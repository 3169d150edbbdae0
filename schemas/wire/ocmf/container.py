"""Files of records: the XML container of the transparency software, or records as text, one a line."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import Element

from schemas.wire.contract import BadSyntax, Frame, Malformed, WireError
from schemas.wire.json_lines import BOM, lines_of
from schemas.wire.ocmf.record import PREFIX
from schemas.wire.xml_documents import parse

_CONTAINER: Final = re.compile(rb"<values[\s>]")
_CONTEXTS: Final = ("context", "transactionId")


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so holds records."""
    head = head.removeprefix(BOM).lstrip()
    return head.startswith(PREFIX) or (head.startswith(b"<") and _CONTAINER.search(head[:4096]) is not None)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a container or a text into records; the container's public key goes into the context."""
    head = stream.read(65_536)
    if head.removeprefix(BOM).lstrip().startswith(b"<"):
        yield from _from_container(head + stream.read())
        return
    for line, offset, is_whole in lines_of(head, stream):
        record = line.strip()
        if not record:
            continue
        if is_whole and record.startswith(PREFIX):
            yield Frame(record, offset + line.index(record))
        else:
            yield Malformed(line, offset, BadSyntax("a line of records starts with OCMF|"))


def _from_container(content: bytes) -> Iterator[Frame | Malformed]:
    try:
        root = parse(content)
    except WireError as error:
        yield Malformed(content, 0, error)
        return
    if root.tag != "values":
        yield Malformed(content, 0, BadSyntax(f"the container's root is values, not {root.tag[:40]}"))
        return
    for number, value in enumerate(root.findall("value"), 1):
        try:
            yield _record(value)
        except WireError as error:
            yield Malformed(content, 0, type(error)(f"value {number} of the container: {error.detail}"))


def _record(value: Element) -> Frame:
    signed = value.find("signedData")
    if signed is None or not (signed.text or "").strip():
        raise BadSyntax("it has no signedData")
    if (stated := signed.get("format", "OCMF")) != "OCMF":
        raise BadSyntax(f"its signedData is {stated[:20]}; only OCMF is read")
    text = (signed.text or "").strip()
    context: dict[str, Any] = {name: value.attrib[name] for name in _CONTEXTS if name in value.attrib}
    key = value.find("publicKey")
    if key is not None and key.text:
        context["public_key"] = "".join(key.text.split())
    return Frame(_octets(text, signed.get("encoding", "plain")), 0, context=context)


def _octets(text: str, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            return base64.b64decode(text, validate=True).strip()
        if encoding == "hex":
            return bytes.fromhex(text).strip()
    except (binascii.Error, ValueError):
        raise BadSyntax(f"its signedData is not {encoding}, as it says") from None
    return text.encode()
