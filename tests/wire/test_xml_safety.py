"""XML is read safely in every format that has some: no document types, entities or network; depth and size bounded."""

import ast
import time
from pathlib import Path

import pytest

from schemas.wire import xml_documents
from schemas.wire.xml_documents import DEPTH_LIMIT, SIZE_LIMIT
from streams.reader import Rejected, read

ROOT = Path(__file__).parents[2]
ROOTS = {
    "taf7": ("16", '<UsagePoints xmlns="http://vde.de/AR_2418-6.xsd">', "</UsagePoints>"),
    "entsoe": ("46", "<Publication_MarketDocument>", "</Publication_MarketDocument>"),
    "ocmf": ("4", "<values><value><signedData>OCMF|", "</signedData></value></values>"),
}
"""By format: an interface, and how a document begins and ends."""

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
ATTACKS = {
    "entities that multiply": f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>',
    "an entity from a file": '<!DOCTYPE x [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>',
    "an entity from the network": '<!DOCTYPE x [<!ENTITY a9 SYSTEM "http://127.0.0.1:9/">]>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>',
    "a document type from the network": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
}


def parsers():
    """Formats with a module that imports an XML library, or the one module that wraps it."""
    found = set()
    for path in (ROOT / "schemas" / "wire").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            if any("xml" in module.lower() for module in modules) or "xml_documents" in names:
                found.add(path.relative_to(ROOT / "schemas" / "wire").parts[0])
    return found - {"xml_documents.py"}


def outcomes(name, content):
    interface, _, _ = ROOTS[name]
    return list(read(content.encode(), interface, "x"))


def document(name, before="", within=""):
    _, begin, end = ROOTS[name]
    return f'<?xml version="1.0"?>{before}{begin}{within}{end}'


def test_every_format_with_xml_is_tried_here():
    assert parsers() == set(ROOTS)


@pytest.mark.parametrize("name", ROOTS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_document_types_and_entities_are_refused_at_once(name, attack):
    began_s = time.monotonic()
    (outcome,) = outcomes(name, document(name, ATTACKS[attack], "&a9;"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad-syntax"
    assert "document types and entities are not accepted; send the document without" in outcome.detail
    assert "Forbidden" not in outcome.detail
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("name", ROOTS)
def test_depth_is_bounded(name):
    (outcome,) = outcomes(name, document(name, within="<a>" * 5000 + "</a>" * 5000))
    assert (outcome.reason, f"deeper than {DEPTH_LIMIT}" in outcome.detail) == ("too-large", True)


@pytest.mark.parametrize("name", ROOTS)
def test_size_is_bounded(name, monkeypatch):
    monkeypatch.setattr(xml_documents, "SIZE_LIMIT", 1000)
    found = outcomes(name, document(name, within="<a>" + "x" * 2000 + "</a>"))
    assert {outcome.reason for outcome in found} == {"too-large"}


def test_the_number_of_elements_is_bounded():
    with pytest.raises(xml_documents.TooLarge, match="at most 10 elements"):
        xml_documents.parse(b"<a>" + b"<b/>" * 20 + b"</a>", element_limit=10)
    assert SIZE_LIMIT <= 16 * 1024 * 1024
