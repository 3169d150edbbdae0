"""EXI (W3C Efficient XML Interchange) for the messages of ISO 15118 and DIN 70121, in a Java process of ours.

:mod:`~streams.exi.parts` brings the codec's jar and compiles ``Bridge.java`` against it, once per machine;
:mod:`~streams.exi.process` starts Java when the first message needs it.
"""

from functools import cache

from schemas.wire.iso15118.codec import SAP, CodecUnavailable
from streams.exi.process import JavaCodec


@cache
def codec() -> JavaCodec:
    """The codec of this process; nothing is fetched or started before it is asked."""
    return JavaCodec()


def is_available() -> bool:
    """Whether there is a codec; it is brought and started if it can be."""
    try:
        codec().encode(b'{"supportedAppProtocolRes":{"ResponseCode":"Failed_NoNegotiation"}}', SAP)
    except CodecUnavailable:
        return False
    return True
