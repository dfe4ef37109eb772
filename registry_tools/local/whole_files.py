"""Text in, a whole file out: whoever reads it meets the old text or the new one, never half of either."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Replaces the file at one instant. A crash leaves the old file, and at worst a stray `.new` beside it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
