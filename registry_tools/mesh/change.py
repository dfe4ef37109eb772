"""One difference between two interfaces: a stable rule, the object it is about, what stood there and what stands there.

A change is a fact. What it does to readers is judged elsewhere, rule by rule, from the table below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A kind of change. `codes` are the lines of the compatibility table under which it is judged; the rules without
    any take nothing away from a reader.
    """

    id: str
    codes: tuple[str, ...]
    means: str


# An id is for ever: approvals in registries and people's scripts name it.
_TABLE: Final = (
    # -- the project
    ("project-renamed", "M03", "the project has another name, and with it every model"),
    ("adapter-changed", "M15", "the project is built on another platform"),
    # -- its models
    ("model-added", "", "a public model is new"),
    (
        "model-removed",
        "M01 M02 M07",
        "a public model is gone: removed, renamed, disabled, no longer public or ephemeral",
    ),
    ("model-renamed", "M01", "a public model has another name, and its columns and its place say that it is the same"),
    ("version-added", "", "a public model has a new version"),
    ("version-removed", "M04", "a version of a public model is gone, and others stay"),
    ("model-versioned", "M04 M05", "a model without versions has versions now"),
    ("model-unversioned", "M04 M05", "a model with versions has none any more"),
    ("latest-version-moved", "M04 M05", "a reference without a version means another version now"),
    ("identity-changed", "", "dbt's id, package or version is written in another way, under the same name"),
    ("relation-moved", "M06", "the table or view is in another database, in another schema or has another name"),
    ("relation-requoted", "M06", "the table or view is where it was, and its name has other quotes"),
    ("access-changed", "M02", "the access that is written down is another one"),
    ("materialization-changed", "M07 M08", "a table becomes a view, or the reverse, or another kind of relation"),
    ("contract-added", "M10", "dbt enforces the model's columns and types from now on"),
    ("contract-dropped", "M09", "dbt enforces the model's columns and types no longer"),
    ("contract-aliases-changed", "", "the contract translates the names of types, or no longer does"),
    ("deprecation-set", "M11", "the model has a day on which it leaves"),
    ("deprecation-moved", "M11", "the model leaves on another day"),
    ("deprecation-withdrawn", "", "the model stays after all"),
    ("primary-key-changed", "M13 C06", "a row is identified by other columns"),
    ("rows-narrowed", "M17", "what the owner says about which rows stand there is another thing"),
    ("freshness-changed", "", "how old the data may be, or the column that tells their age, is another one"),
    ("consumers-narrowed", "M02", "somebody who might read the model may not any more"),
    ("consumers-widened", "", "others may read the model too, and everybody who might still may"),
    ("grants-reduced", "M14", "a role that could read the table or view is no longer granted it"),
    ("grants-widened", "", "more roles are granted the table or view, and all that were still are"),
    ("group-changed", "", "the model belongs to another group"),
    ("lineage-changed", "", "the public models that it is built from are others"),
    # -- its columns
    ("column-added", "C07", "a column is new"),
    ("column-removed", "C01", "a column is gone or has another name"),
    ("columns-reordered", "C08", "the columns that stay are in another order"),
    ("column-type-changed", "C02 C03 C04", "a column has another type: of another family, wider or narrower"),
    ("column-type-declared", "C03", "a column's type is written down from now on"),
    ("column-type-undeclared", "C04", "a column's type is no longer written down"),
    ("column-case-changed", "C09", "a column's name is written in other cases, which unquoted names do not show"),
    ("column-quoting-changed", "C09", "a column's name is to be quoted, or no longer"),
    # -- what guards the rows of a model or a column
    ("constraint-added", "C06", "a constraint is new"),
    ("constraint-removed", "M12 M13 C05", "a constraint is gone: a key, not null, a foreign key"),
    ("constraint-renamed", "", "a constraint has another name and demands the same"),
    ("test-added", "C06", "every row is tested from now on"),
    ("test-removed", "M13 C05", "what was tested of every row is no longer: unique, not_null"),
    ("accepted-values-changed", "C10 C06", "the values that a column is tested to have are others"),
    ("guards-rewritten", "", "the same constraints and tests are written down in another way"),
    ("protection-changed", "C11", "what marks personal or masked data is another thing: a tag or a meta entry"),
    # -- what people read, of a model, a column or a group
    ("description-changed", "C12", "the description is another one"),
    ("meta-changed", "C12", "the meta entries are others"),
    ("tags-changed", "C12", "the tags are others"),
    # -- groups
    ("group-added", "", "a group of public models is new"),
    ("group-removed", "", "a group of public models is gone"),
    ("owner-changed", "", "a group belongs to another team, or the team is reached elsewhere"),
    # -- what else the owner promises: metrics, semantic models, saved queries, exposures
    ("promise-added", "", "a metric, semantic model, saved query or exposure is promised to readers from now on"),
    ("promise-removed", "S01", "a metric, semantic model, saved query or exposure that was promised is gone"),
)

RULES: Final[Mapping[str, Rule]] = {
    id_: Rule(id=id_, codes=tuple(codes.split()), means=means) for id_, codes, means in _TABLE
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference. `model` is a label (`public_products.v1`), or a name where all versions are meant; a change of
    the project has none. `asset` is what else is promised, with its kind: `metric:revenue`.

    `before` and `after` are short and printable, and never equal; one of them is None where something came or went.
    """

    rule: str
    project: str
    model: str | None = None
    column: str | None = None
    group: str | None = None
    asset: str | None = None
    before: str | None = None
    after: str | None = None

    @property
    def object(self) -> str:
        """What changed, as people name it: `dbt_up.public_orders.amount`; a group is `dbt_up.group:finance`.

        Names of columns and groups are anybody's text: make the object printable before it is printed.
        """
        group = None if self.group is None else f"group:{self.group}"
        return ".".join(part for part in (self.project, self.model, self.column, group, self.asset) if part is not None)

    @property
    def means(self) -> str:
        """The rule in words."""
        return RULES[self.rule].means

    @property
    def sign(self) -> str:
        """`+` for what came, `-` for what went, `~` for what is another one."""
        if self.before is None:
            return "+"
        return "-" if self.after is None else "~"
