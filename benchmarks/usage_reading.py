"""A consumer's manifest in, what reading its usage took out: in a process of its own, from the cache's file to it.

`python -m benchmarks.usage_reading MANIFEST CACHE RESULT` leaves the seconds in RESULT as JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

from registry_tools.intake.column_usage import read_usage
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.readings import Readings


def main() -> None:
    """Measure, and write it down; the manifest is read before, as every publication reads it."""
    manifest = read_manifest(Path(sys.argv[1]))
    started, began = time.perf_counter(), os.times()
    with Readings(manifest.adapter, Path(sys.argv[2])) as readings:
        usage = read_usage(manifest, {}, readings)
    wall, ended = time.perf_counter() - started, os.times()
    used = sum(ended[:4]) - sum(began[:4])
    told = {"wall": wall, "cpu": used, "cold": readings.cold, "unread": sum(bool(each.unread) for each in usage.reads)}
    Path(sys.argv[3]).write_text(json.dumps(told | {"reads": len(usage.reads)}))


if __name__ == "__main__":
    main()
