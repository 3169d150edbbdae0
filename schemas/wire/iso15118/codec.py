"""What a decoder of ISO 15118 needs of an EXI codec. It runs outside of ``schemas``, which starts no process."""

from typing import Final, Protocol

CODEC: Final = "exi-codec"
"""Under this key a conversation's memory holds the codec, where there is one."""

SAP: Final = "urn:iso:15118:2:2010:AppProtocol"
DIN: Final = "urn:din:70121:2012:MsgDef"
ISO_2: Final = "urn:iso:15118:2:2013:MsgDef"
ISO_20: Final = "urn:iso:std:iso:15118:-20:"
ISO_20_COMMON: Final = ISO_20 + "CommonMessages"
ISO_20_AC: Final = ISO_20 + "AC"
ISO_20_DC: Final = ISO_20 + "DC"

GRAMMARS: Final = (SAP, DIN, ISO_2, ISO_20_COMMON, ISO_20_AC, ISO_20_DC)
"""Namespaces a codec must know."""


class NotExi(Exception):
    """Octets that are no message of the schema, or a message that does not fit it; ``detail`` in the codec's words."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class CodecUnavailable(Exception):
    """There is no codec to be had now; ``detail`` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Codec(Protocol):
    """Translates between EXI and the JSON in which charging stacks log."""

    def decode(self, exi: bytes, namespace: str) -> bytes:
        """The JSON of a message, by the schema of a namespace.

        Raises:
            NotExi: no message of that schema.
            CodecUnavailable: it cannot be started.
        """
        ...
