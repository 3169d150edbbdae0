"""EXI (W3C Efficient XML Interchange) for the messages of ISO 15118 and DIN 70121, in a Java process of ours.

:mod:`~streams.exi.parts` brings the codec's jar and compiles ``Bridge.java`` against it, once per machine;
:mod:`~streams.exi.process` starts Java when the first message needs it.
"""

from functools import cache

from streams.exi.process import JavaCodec


@cache
def codec() -> JavaCodec:
    """The codec of this process; nothing is fetched or started before it is asked."""
    return JavaCodec()
