"""A process id in, proof out that it is still the process that was started: numbers are reused, start times are not."""

import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")
_POLL = 0.02


def identity(pid: int) -> str | None:
    """What tells this process from every other that ever had or will have its number; None when it is no more."""
    if not (_PROC / "self/stat").exists():
        return _identity_by_ps(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold anything, even parentheses
    boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return None if state in "ZX" else f"{boot} {fields[18]}"  # field 22 of proc(5): clock ticks from boot to start


def _identity_by_ps(pid: int) -> str | None:
    """The same on macOS, which has no /proc."""
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def signalled(pid: int, started: str, number: signal.Signals) -> bool:
    """Sends the signal if the number still belongs to that process; False when it is gone."""
    if identity(pid) != started:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def ended(pid: int, started: str, *, within: float) -> bool:
    """Whether the process is gone before so many seconds have passed. A zombie is gone: it only keeps its number."""
    deadline = time.monotonic() + within
    while identity(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
