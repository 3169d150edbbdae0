"""The namespaces of the gateway's XML, and how it is parsed."""

from typing import Final

from schemas.wire.xml_documents import DEPTH_LIMIT, SIZE_LIMIT, parse

__all__ = ["AR", "DEPTH_LIMIT", "ESPI", "SIZE_LIMIT", "parse"]

AR: Final = "{http://vde.de/AR_2418-6.xsd}"
"""Namespace of VDE AR 2418-6, in which readings leave the gateway."""
ESPI: Final = "{http://naesb.org/espi}"
"""Namespace of the standard it is derived from (NAESB REQ.21)."""
