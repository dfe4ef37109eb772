"""What docs/notifications.md tells a receiver to do: its own code, run on messages that were really sent."""

import base64
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from registry_tools.artifacts.notice_slack import notice_slack
from registry_tools.webhook import ATTEMPTS, LONGEST_PAUSE, Message, deliver, parse_address, parse_secret, signed
from tests.notices import NOTICES
from tests.stores.fault_server import fault_server

PAGE = (Path(__file__).resolve().parents[2] / "docs/notifications.md").read_text()
SECRET = f"whsec_{base64.b64encode(b'k' * 32).decode()}"
BODY = b'{"text":"hello"}'
Genuine = Callable[[str, Mapping[str, str], bytes], bool]


@pytest.fixture(scope="module")
def is_genuine() -> Genuine:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Genuine] = {}
    exec(code, names)  # noqa: S102  # the page's own code is what is tested
    return names["is_genuine"]


def arrived(key: bytes | None = None) -> Mapping[str, str]:
    """The headers of a message as a server got them."""
    with fault_server() as (faults, endpoint):
        deliver(Message(id="mesh_0123", body=BODY), parse_address(endpoint), key)
    return faults.requests[0].headers


def test_a_genuine_message_is_taken(is_genuine: Genuine) -> None:
    assert is_genuine(SECRET, arrived(parse_secret(SECRET)), BODY)


def test_everything_else_is_not(is_genuine: Genuine) -> None:
    headers = arrived(parse_secret(SECRET))
    other = f"whsec_{base64.b64encode(b'x' * 32).decode()}"
    stale = signed(Message(id="mesh_0123", body=BODY), parse_secret(SECRET), int(time.time()) - 301)
    assert not is_genuine(other, headers, BODY)
    assert not is_genuine(SECRET, headers, BODY + b" ")
    assert not is_genuine(SECRET, {**headers, "webhook-id": "mesh_4567"}, BODY)
    assert not is_genuine(SECRET, {**headers, "webhook-timestamp": str(int(time.time()) + 5)}, BODY)
    assert not is_genuine(SECRET, arrived(), BODY)
    assert not is_genuine(SECRET, stale, BODY)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,ä"},
        {"webhook-timestamp": str(int(time.time())), "webhook-id": "mesh_0123"},
    ],
)
def test_whatever_somebody_sends_is_answered(is_genuine: Genuine, broken: Mapping[str, str]) -> None:
    assert not is_genuine(SECRET, broken, BODY)


def test_what_the_page_shows_is_what_slack_gets() -> None:
    shown = re.findall(r"<!-- notice: (\w+) -->\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert len(shown) == 1
    for case, text in shown:
        assert notice_slack(NOTICES[case])["text"] == text.strip()


def test_the_page_names_the_limits_of_the_code() -> None:
    assert (ATTEMPTS, LONGEST_PAUSE) == (5, 60)
    assert "five times" in PAGE
    assert "more than a\nminute" in PAGE
