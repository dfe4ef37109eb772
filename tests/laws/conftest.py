"""No law reaches a network."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

# A law is about values: a slow machine must not break it.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")


@pytest.fixture(autouse=True, scope="module")
def _no_network() -> Iterator[None]:
    disable_socket()
    yield
    enable_socket()
