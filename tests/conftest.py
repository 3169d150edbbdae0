"""Fixtures: a real database server, a schema of its own for each test."""

import os
import uuid

import pytest

from streams import migrate


@pytest.fixture(scope="session")
def database_url():
    """The server named by TWIN_TEST_DATABASE_URL."""
    url = os.environ.get("TWIN_TEST_DATABASE_URL")
    if not url:
        pytest.skip("TWIN_TEST_DATABASE_URL names no server; tests/run starts one")
    return url


@pytest.fixture
def schema(database_url):
    """A migrated schema that only this test sees."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    migrate.migrate(database_url, name)
    yield name
    migrate.drop(database_url, name)
