"""Native protocols: bytes to payload, one module (or folder) per format. See :mod:`schemas.wire.contract`."""
