"""Pairs in, those of which the facts recorded from the old interface and a second reading against the new one differ.

The second reading sees the names as they are then: columns that nobody has, or that mean something else.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from registry_tools.intake.sql.reading import QueryReading
from registry_tools.mesh.impact import Effect
from tests.truth.changes import Change
from tests.truth.effects import effect_of, interface_of, usage_of
from tests.truth.engine import Engine, Table
from tests.truth.pairs import Case, cases

# A type is nothing that a reading knows of, and a table that is gone has nothing to be read.
_BY_NAMES = ("column dropped", "column renamed", "column added", "columns reordered")


def disagreements(engine: Engine, seeds: Iterable[int], counts: Counter[str]) -> Iterator[str]:
    """One sentence for each."""
    for case, changes in cases(engine, seeds, counts):
        first = case.read(case.tables)
        old, usage = interface_of(case.tables, case.adapter), usage_of(first)
        for change in changes:
            if change.new is None or change.kind not in _BY_NAMES:
                continue
            after = [change.new if table == change.old else table for table in case.tables]
            said = effect_of(change, old, case.tables, usage)
            differs = _differs(first, case.read(after), change.new, case)
            counts["other" if differs else "same"] += 1
            if not _agree(said, first, change, differs=differs):
                yield f"{case.query.sql}: {change}: said {said}, and reading again finds {differs or 'nothing new'}"


def _agree(said: Effect, first: QueryReading, change: Change, *, differs: str) -> bool:
    """Whoever is broken reads otherwise afterwards, if he does not count columns; who reads otherwise was told so."""
    if said == "UNAFFECTED":
        return not differs
    whole = first.tables[change.old.name].whole
    return said != "BROKEN" or bool(differs) or "position" in whole


def _differs(first: QueryReading, second: QueryReading, new: Table, case: Case) -> str:
    """What a second reading has that the first had not."""
    known = {name.casefold() for name in new.names}
    if second.unread:
        return second.unread
    read = second.tables.get(new.name)
    if read is not None and (missing := [name for name in read.columns if name.casefold() not in known]):
        return f"{missing} are no columns"
    before, after = ({name: sorted(of.columns) for name, of in each.tables.items()} for each in (first, second))
    if before != after:
        return f"{before} -> {after}"
    outputs = [[(each.name, each.origins) for each in reading.outputs] for reading in (first, second)]
    return "" if outputs[0] == outputs[1] else f"other outputs of {case.seed}"
