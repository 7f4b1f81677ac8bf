"""A real PostgreSQL for the lab's tests: one server a file, a database of its own for each test."""

import pytest
from tradeoff.lab.systems.postgres import open_source


@pytest.fixture(scope="module")
def server():
    with open_source() as source:
        yield source.server


@pytest.fixture
def source(server):
    with open_source(server.url) as source:
        yield source
