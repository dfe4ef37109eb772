"""The classes of every rule: under which line of the compatibility table a change falls, when, and how to say it.

A rule with several classes has them under keys, among which checks.classes chooses by what stood and what stands there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from registry_tools.mesh.verdict import Class


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """A class and its line of the table, empty for what takes nothing away. `says` is the sentence, to be filled in
    (`thing`, `model`, `before`, `after`, `more`); `when` tells it from the other rulings of the same rule.
    """

    kind: Class
    code: str
    says: str
    when: str = ""


def _safe(says: str, code: str = "", when: str = "") -> Ruling:
    return Ruling(kind="SAFE", code=code, says=says, when=when)


def _dangerous(code: str, says: str, when: str = "") -> Ruling:
    return Ruling(kind="DANGEROUS", code=code, says=says, when=when)


def _breaking(code: str, says: str, when: str = "") -> Ruling:
    return Ruling(kind="BREAKING", code=code, says=says, when=when)


def _successor(means: str) -> dict[str, Ruling]:
    """What a reader of a name without a version gets in place of what it got."""
    return {
        "SAFE": _safe(f"{means}, and nothing that it reads is another thing.", "M05", "no difference between the two"),
        "DANGEROUS": _dangerous("M05", f"{means}: {{more}}", "the worst difference between the two is DANGEROUS"),
        "BREAKING": _breaking("M05", f"{means}: {{more}}", "the worst difference between the two is BREAKING"),
        "gone": _breaking("M04", f"{means}, and that is not public.", "what is found is not public"),
        "new": _safe(f"{means}; what it found before was not public.", "M05", "what was found before was not public"),
    }


RULINGS: Final[Mapping[str, Mapping[str, Ruling]]] = {
    "project-renamed": {
        "": _breaking(
            "M03", "The project is called {after} instead of {before}, and every reference names the old one."
        )
    },
    "adapter-changed": {
        "": _breaking("M15", "The project is built on {after} instead of {before}: other tables, types and SQL.")
    },
    "model-added": {"": _safe("{model} is new, at {after}.")},
    "model-removed": {"": _breaking("M01", "{model} is gone; it stood at {before}, and nothing answers to its name.")},
    "model-renamed": {"": _breaking("M01", "{before} is called {after} now, and nothing answers to the old name.")},
    "version-added": {"": _safe("{model} is a new version, at {after}.")},
    "version-removed": {
        "": _breaking("M04", "{model} is gone; it stood at {before}, and references to this version find nothing.")
    },
    "model-versioned": _successor("A reference to {model} finds the latest of its versions ({after}) now"),
    "model-unversioned": _successor("A reference to {model} without a version finds the one without versions now"),
    "latest-version-moved": _successor(
        "A reference to {model} without a version finds version {after} instead of {before}"
    ),
    "identity-changed": {"": _safe("{model} is written {after} instead of {before}, and its name is the same.")},
    "relation-moved": {
        "": _dangerous(
            "M06",
            "{model} stands at {after} instead of {before}: references find it when they are compiled again, and SQL"
            " that names the old place does not.",
        )
    },
    "relation-requoted": {"": _safe("{model} stands where it stood: {after} is {before} with other quotes.", "M06")},
    "access-changed": {
        "narrower": _breaking(
            "M02", "{model} was {before} and is {after}: other projects may not refer to it.", "narrower than before"
        ),
        "wider": _safe(
            "The access of {model} is written {after} instead of {before}, and nobody is shut out.",
            "M02",
            "as wide as before, or wider",
        ),
    },
    "materialization-changed": {
        "ephemeral": _breaking(
            "M07", "{model} is ephemeral instead of {before}: there is no table to read.", "it becomes ephemeral"
        ),
        "unguarded": _breaking(
            "M08",
            "{model} was {before} and is {after}, in which the warehouse enforces none of its constraints.",
            "a table or incremental one becomes another kind, and its contract has constraints",
        ),
        "other": _dangerous("M08", "{model} was {before} and is {after}.", "any other change"),
        "table": _safe("{model} was {before} and is {after}, a table both times.", "M08", "table and incremental"),
    },
    "contract-added": {"": _safe("dbt enforces the columns and types of {model} from now on.", "M10")},
    "contract-dropped": {
        "": _breaking("M09", "dbt no longer enforces the columns and types of {model}, and they may change unseen.")
    },
    "contract-aliases-changed": {
        "": _safe("The contract of {model} translates names of types: {after}, not {before}.")
    },
    "deprecation-set": {"": _safe("{model} leaves on {after}.", "M11")},
    "deprecation-moved": {"": _safe("{model} leaves on {after} instead of {before}.", "M11")},
    "deprecation-withdrawn": {"": _safe("{model} stays; it was to leave on {before}.")},
    "primary-key-changed": {
        "changed": _dangerous(
            "M13", "A row of {model} is identified by {after} instead of {before}.", "a key was declared before"
        ),
        "declared": _safe(
            "A row of {model} is identified by {after}; nothing was said before.", "C06", "none was declared before"
        ),
    },
    "rows-narrowed": {
        "": _dangerous("M17", "The owner of {model} says that other rows stand there: {after} instead of {before}.")
    },
    "freshness-changed": {"": _safe("What is promised of the age of {model} is {after} instead of {before}.")},
    "consumers-narrowed": {
        "": _breaking("M02", "{model} is for {after} and was for {before}: somebody may not read it any more.")
    },
    "consumers-widened": {"": _safe("{model} is for {after} and was for {before}.")},
    "grants-reduced": {
        "": _dangerous(
            "M14", "{model} is granted less: {after}, where it was {before}; somebody's queries are refused."
        )
    },
    "grants-widened": {"": _safe("{model} is granted more: {after}, where it was {before}.")},
    "group-changed": {"": _safe("{model} belongs to {after}; it was {before}.")},
    "lineage-changed": {"": _safe("{model} is built from {after}; it was {before}.")},
    "column-added": {"": _safe("{thing} is new: {after}.", "C07")},
    "column-removed": {"": _breaking("C01", "{thing}, {before}, is gone{more}.")},
    "columns-reordered": {
        "": _safe("The columns of {model} stand in another order: {after} where {before} stood.", "C08")
    },
    "column-type-changed": {
        "same": _safe("{thing} is {after}, another name of {before}.", "C03", "the same type under another name"),
        "wider": _safe("{thing} is {after} and was {before}: every value still fits.", "C03", "wider"),
        "narrower": _dangerous("C04", "{thing} is {after} and was {before}: values may be cut or refused.", "narrower"),
        "apart": _dangerous(
            "C04",
            "{thing} is {after} and was {before}: of one family, and neither holds the other's values unchanged.",
            "another scale, collation, padding, or with a time zone and without",
        ),
        "other": _breaking("C02", "{thing} is {after} and was {before}, which is of another family.", "another family"),
        "unknown": _breaking(
            "C02",
            "{thing} is {after} and was {before}; how these relate is not known, so that it counts as another family.",
            "a type that is not known on this adapter",
        ),
    },
    "column-type-declared": {"": _safe("The type of {thing} is written down: {after}.", "C03")},
    "column-type-undeclared": {
        "": _dangerous("C04", "Nothing says any more that {thing} is {before}, and it may become anything else.")
    },
    "column-case-changed": {
        "stored": _breaking(
            "C09",
            "{thing} is stored as {more}: SQL that names it as before finds nothing.",
            "the warehouse stores it under another name",
        ),
        "folded": _safe(
            "{thing} is written {after} instead of {before}, and is stored as before.",
            "C09",
            "the warehouse stores it as before",
        ),
    },
    "column-quoting-changed": {
        "stored": _breaking(
            "C09",
            "{thing} is stored as {more}: SQL that names it as before finds nothing.",
            "the warehouse stores it under another name",
        ),
        "folded": _safe(
            "{thing} has quotes now, or none any more, and is stored as before.",
            "C09",
            "the warehouse stores it as before",
        ),
    },
    "constraint-added": {"": _safe("{thing} has a new constraint: {after}.", "C06")},
    "constraint-removed": {
        "null": _dangerous("C05", "{thing} may be null from now on: not_null is gone.", "not_null"),
        "enforced": _breaking(
            "M12", "The warehouse enforces {before} of {thing} no longer.", "another one that the warehouse enforced"
        ),
        "told": _dangerous("M13", "{before} of {thing} is promised no longer.", "one that was only written down"),
    },
    "constraint-renamed": {"": _safe("A constraint of {thing} has another name and demands the same.")},
    "test-added": {"": _safe("Every row is tested from now on: {thing} is {after}.", "C06")},
    "test-removed": {
        "unique": _dangerous(
            "M13", "{thing} is no longer tested to be unique: joins may multiply rows.", "the test unique"
        ),
        "null": _dangerous("C05", "{thing} is no longer tested to be {before}.", "the test not_null"),
    },
    "accepted-values-changed": {
        "changed": _dangerous(
            "C10",
            "{thing} is tested to have other values: {after}, where it was {before}.",
            "a list stood there before",
        ),
        "tested": _safe("The values of {thing} are tested from now on: {after}.", "C06", "no list stood there before"),
    },
    "guards-rewritten": {"": _safe("What is promised of {thing} is written down in another way and is the same.")},
    "protection-changed": {
        "": _dangerous("C11", "What marks {thing} as personal, secret or masked is {after}; it was {before}.")
    },
    "description-changed": {"": _safe("{thing} is described in other words.", "C12")},
    "meta-changed": {"": _safe("The meta of {thing} says {after} instead of {before}.", "C12")},
    "tags-changed": {"": _safe("The tags of {thing} are {after}; they were {before}.", "C12")},
    "group-added": {"": _safe("{thing} is a new group, of {after}.")},
    "group-removed": {"": _safe("{thing}, a group of {before}, is gone.")},
    "owner-changed": {"": _safe("{thing} belongs to {after} instead of {before}.")},
    "promise-added": {"": _safe("{thing} is promised to readers from now on.")},
    "promise-removed": {"": _breaking("S01", "{thing}, which was promised to readers, is gone or no longer public.")},
}
