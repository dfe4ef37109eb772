"""How a server tells its parent the port that it got: one small JSON file, written once it accepts connections."""

import json
import os
from pathlib import Path

from registry_tools.disk import write_whole


def announce(path: Path, port: int) -> None:
    """Says that the process which calls this listens on `port`."""
    write_whole(path, json.dumps({"pid": os.getpid(), "port": port}).encode())


def announced_port(path: Path, pid: int) -> int | None:
    """The port that process `pid` has announced, or None while it has not; another process's file does not count."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return int(document["port"]) if document["pid"] == pid else None
