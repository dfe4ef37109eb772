"""The simulator's flags in, its output out, from a process of its own, which coverage does not slow down."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

_REPOSITORY: Final = Path(__file__).parents[2]


def simulator(*flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `python -m tests.simulator` says with these flags."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.run(
        [sys.executable, "-m", "tests.simulator", *flags],
        cwd=_REPOSITORY,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )
