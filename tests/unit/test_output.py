"""The few shapes that all commands print in."""

import json
from types import SimpleNamespace

import pytest

from registry_tools.cli.output import ago, counted, progress, show_json, sized
from registry_tools.mesh.printable import printable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 seconds ago"),
        (1.9, "1 second ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86_399, "23 hours ago"),
        (86_400, "1 day ago"),
        (30 * 86_400, "30 days ago"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_fits(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (3_400_000, "3.4 MB"),
        (2 * 10**9, "2.0 GB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_a_size_is_told_in_the_largest_unit_that_fits(size: int, text: str) -> None:
    assert sized(size) == text


def test_one_is_one_and_none_are_many() -> None:
    assert [counted(number, "model") for number in (0, 1, 2)] == ["0 models", "1 model", "2 models"]


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "a\rb", "\u202eabc", "\x07", "\x9b31m", "\u2028", "##[error]x"])
def test_what_a_terminal_or_a_workflow_would_obey_is_shown(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printable(text).isprintable()
    assert printable("plain é 日本") == "plain é 日本"
    show_json({"text": text})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": text}
    assert all(line.isprintable() for line in printed.split("\n"))
    assert "##[" not in printed


def test_a_bar_is_shown_on_a_terminal_once_work_takes_over_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 0.5, 2.0])
    monkeypatch.setattr("registry_tools.cli.output.time", SimpleNamespace(monotonic=lambda: next(now)))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("reading SQL") as told:
        told(1, 900)
        assert capsys.readouterr().err == ""
        told(450, 900)
    assert "reading SQL" in capsys.readouterr().err


def test_no_bar_is_shown_to_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading SQL") as told:
        told(1, 900)
    assert capsys.readouterr().err == ""
