"""Flags in, the table of what was said and what was true out; the exit code is 1 when anything is missed.

The smallest pair that shows a fault is printed as SQL that runs in any DuckDB.
"""

import sys
import time
from tests.truth.pairs import run

n = int(sys.argv[1])
s = int(sys.argv[2]) if len(sys.argv) > 2 else 0
t = time.time()
tally = run(range(s, s + n))
for l in tally.lines():
    print(l)
print(tally.counts, time.time() - t)
shown = {}
for f in sorted(tally.faults, key=lambda f: len(f.query.sql)):
    k = (f.fault, f.change.kind)
    shown[k] = shown.get(k, 0) + 1
    if shown[k] <= 3:
        print("\n".join(f.lines()))
        print()
