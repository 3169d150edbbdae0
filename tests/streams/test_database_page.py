"""The documentation of the database is what the database says of itself."""

import os
from pathlib import Path

import pytest

from streams.database_page import page, relations

PAGE = Path(__file__).parents[2] / "docs" / "database.md"


@pytest.fixture
def found(database_url, schema):
    return relations(database_url, schema)


def test_every_table_and_view_has_a_comment(found):
    assert len(found) > 10
    assert [relation.name for relation in found if not relation.comment.endswith(".")] == []


def test_every_column_has_a_comment(found):
    columns = [(relation.name, column) for relation in found for column in relation.columns]
    assert [f"{table}.{column.name}" for table, column in columns if not column.comment.endswith((".", "..."))] == []


def test_every_table_has_a_key_and_every_view_a_version(found):
    assert [relation.name for relation in found if not relation.is_view and not relation.key] == []
    assert [relation.name for relation in found if relation.is_view and "_v1" not in relation.name] == []


def test_the_page_is_current(database_url, schema):
    written = page(database_url, schema)
    if os.environ.get("WRITE_DOCS"):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(written, "utf-8")
    assert PAGE.read_text("utf-8") == written, "docs/database.md is out of date: make docs"
