"""docs/rules.md says what the code does: every part but the figures is made from the tables of the code.

`UPDATE_DOCS=1 pytest tests/unit/test_rules_page.py` writes it again and keeps what stands between the marks of figures.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from registry_tools.checks.class_table import RULINGS, Ruling
from registry_tools.checks.meta import PROTECTED
from registry_tools.mesh.change import RULES
from registry_tools.mesh.impact import EFFECTS, REASONS, Effect
from registry_tools.mesh.verdict import CLASSES, MODES, Class, Mode

PAGE = Path(__file__).parents[2] / "docs/rules.md"
FIGURES = re.compile(r"<!-- figures -->\n.*?<!-- end of figures -->\n", re.DOTALL)
NO_FIGURES = "<!-- figures -->\n<!-- end of figures -->\n"

MEANS_CLASS: Mapping[Class, str] = {
    "BREAKING": "SQL of a consumer may not compile, or may read the wrong thing",
    "DANGEROUS": "it compiles, and its result may be another one",
    "SAFE": "neither",
}
MEANS_EFFECT: Mapping[Effect, str] = {
    "BROKEN": "a node does not compile any more, or binds to something else",
    "UNKNOWN": "nobody knows: what cannot be read counts as every column",
    "AFFECTED": "a node works on, and its result may be another one",
    "UNAFFECTED": "no node notices; it is not listed",
}
REFUSES: Mapping[Mode, str] = {
    "off": "nothing; all of it is still reported",
    "consumers": (
        "BREAKING where a consumer is BROKEN or UNKNOWN. Where no consumer has registered what it reads, as `contract`"
    ),
    "consumers-strict": "also DANGEROUS where a consumer is AFFECTED or UNKNOWN",
    "contract": "every BREAKING, read or not, but for what leaves after its `deprecation_date` and nobody reads",
    "frozen": "any change of the model's interface: for versions that are released",
}

HEAD = """\
# What counts as a change, and what is refused

<!-- Made from the code by tests/unit/test_rules_page.py; the part between the marks of figures is written by hand -->

Two interfaces of a project are compared, the published one and the candidate. Every difference is told under one rule,
once. A rule's id is for ever: approvals in registries and people's scripts name it. `mesh diff` tells the changes;
`mesh check` tells what they do to whom. One example of each is a folder of `tests/cases/changes`, with the sentence
that people read in `expected_classes.txt`.

A **class** says what a change may do to somebody. What it does to this or that consumer is its **effect**, and that is
read out of the consumer's own compiled SQL: a change that is SAFE by its nature and breaks somebody counts as BREAKING.
The direction is an old consumer that reads a new producer, which Confluent calls FORWARD.
"""
TYPES = """\
## Types

A type that is written in another way is compared as its warehouse understands it. On Snowflake `int` is `number(38,0)`,
`string` is `varchar(16777216)`, `float` is `double`, and `timestamp` is `timestamp_ntz(9)`.

* **Wider** is more digits at the same scale, a longer text, a larger integer, a finer clock. Narrower is the reverse.
* **Apart** are two of one family of which neither holds the other: another scale or collation, blank-padded or not,
  with a time zone or without.
* **Another family** is another kind of value, also where the warehouse converts it by itself: `number` to `float`.
* Lists and maps are compared by what is in them. A record with other fields is of another family, because `a.b` may
  find nothing.
* A type that is not in the table of its adapter (`mesh/datatypes.py`) is the same as itself, and how it relates to any
  other is not known.
"""
OWNERS = """\
## What an owner can say

| in the YAML of | says | watched by |
| --- | --- | --- |
| a model: `meta: {mesh: {rows: "of the last two years"}}` | which rows stand there, in any words | `rows-narrowed` |
| a model: `meta: {mesh: {consumers: [dbt_down]}}` | who may read it | `consumers-narrowed`, `consumers-widened` |
| a model: `meta: {mesh: {compatibility: frozen}}` | the mode in which its changes are judged | `mesh check` |
| a metric, semantic model, saved query or exposure: `meta: {mesh: {public: true}}` | that readers may rely on it | \
`promise-removed`, `promise-added` |
| a column: a test `accepted_values` without `where`, of severity `error` | every value that it may have | \
`accepted-values-changed` |
| a model: `config: {grants: ...}` | who may read the table | `grants-reduced`, `grants-widened` |

The values of a column and the names of grantees are not published: a publication has twelve digits of a sha256 of
each, by which a change shows; who guesses a name can check the guess. Values count for columns that the YAML lists.
"""
FIGURES_HEAD = """\
## How right and how fast it is

"""


def rows(*cells: Iterable[str]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def table(heading: tuple[str, ...], lines: Iterable[Iterable[str]]) -> str:
    return rows(heading, ["---"] * len(heading), *lines)


def ruled(rule: str) -> Iterable[tuple[str, ...]]:
    """The rulings of a rule, the worst first; its name and its meaning stand on the first line."""
    rulings = sorted(RULINGS[rule].values(), key=lambda ruling: CLASSES.index(ruling.kind))
    for at, ruling in enumerate(rulings):
        first = not at
        yield (f"`{rule}`" if first else "", ruling.kind, ruling.code, _meaning(rule, ruling, first=first))


def _meaning(rule: str, ruling: Ruling, *, first: bool) -> str:
    words = [RULES[rule].means] if first else []
    return ": ".join([*words, f"*{ruling.when}*"] if ruling.when else words)


def page(figures: str) -> str:
    classes = table(("class", "means"), ([kind, MEANS_CLASS[kind]] for kind in CLASSES))
    effects = table(("effect", "means"), ([effect, MEANS_EFFECT[effect]] for effect in EFFECTS))
    reasons = table(("reason", "means"), ([f"`{reason}`", means] for reason, means in REASONS.items()))
    modes = table(("mode", "refuses"), ([f"`{mode}`", REFUSES[mode]] for mode in MODES))
    rules = table(("rule", "class", "line", "means"), (line for rule in RULES for line in ruled(rule)))
    words = ", ".join(sorted(PROTECTED))
    return f"""\
{HEAD}
{classes}
## Rules

*Line* is the line of the compatibility table under which a change is judged; a rule without one takes nothing away.
M16, another SQL behind the same interface, is no change of an interface. A model that is gone is M01, whether it was
removed, disabled, made ephemeral (M07) or private (M02): of what is not public, an interface knows nothing.

{rules}
`protection-changed` looks for tags and keys of meta that name a policy tag or a row access policy, or in which one of
these is a word: {words}.

{TYPES}
## Effects

{effects}
{reasons}
## Modes

{modes}
Global < project < group < model: the nearest counts. An approval (`mesh approve`: rule, object, reason, until) lets a
change through in any mode until its day.

{OWNERS}
{FIGURES_HEAD}{figures}"""


def test_the_page_says_what_the_code_does() -> None:
    standing = PAGE.read_text(encoding="utf-8") if PAGE.exists() else NO_FIGURES
    (figures,) = FIGURES.findall(standing)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page(figures), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(figures)


def test_every_rule_mode_effect_and_reason_is_on_it() -> None:
    text = page(NO_FIGURES)
    assert [name for name in (*RULES, *MODES, *REASONS) if f"`{name}`" not in text] == []
    assert MEANS_CLASS.keys() == set(CLASSES)
    assert MEANS_EFFECT.keys() == set(EFFECTS)
    assert all(line.count("|") == line.replace("\\|", "").count("|") for line in text.splitlines())
