"""Texts that stand in files: expected ones are compared, or written again where UPDATE_CASES says so."""

import os
from pathlib import Path


def assert_stands(expected: Path, text: str) -> None:
    """The file holds the very text; with UPDATE_CASES=1 it does so afterwards."""
    if os.environ.get("UPDATE_CASES"):
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_text(text, encoding="utf-8", newline="")
    assert text == expected.read_bytes().decode()
