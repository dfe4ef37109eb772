"""Commands for dbt v1 in on standard input, what became of each out on standard output, one JSON line each.

It runs on an engine's own Python, where nothing of ours is installed. Starting dbt takes longer than most of its
commands do, so one process runs them all. `--without-plugins` hides dbt-loom, as on a machine that does not have it.
"""

import json
import os
import pkgutil
import sys
from typing import Any

_HIDDEN = "dbt_loom"


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # dbt prints as it likes
    if "--without-plugins" in sys.argv:
        everything = pkgutil.iter_modules
        pkgutil.iter_modules = lambda *place: (m for m in everything(*place) if m.name != _HIDDEN)
    from dbt.cli.main import dbtRunner

    for line in sys.stdin:
        asked = json.loads(line)
        os.chdir(asked["folder"])
        events: list[dict[str, Any]] = []
        runner = dbtRunner(callbacks=[lambda event, kept=events: kept.append(_event(event))])  # type: ignore[misc]
        result = runner.invoke(asked["words"])
        told = str(result.exception or "")
        answers.write(json.dumps({"succeeded": result.success, "error": told, "events": events}) + "\n")


def _event(event: Any) -> dict[str, str]:  # a protobuf message
    return {"name": event.info.name, "level": event.info.level, "message": event.info.msg}


if __name__ == "__main__":
    _main()
