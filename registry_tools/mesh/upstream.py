"""One project that another one reads: how it wants to read it, and what was read of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from registry_tools.errors import UsageError
from registry_tools.mesh.interface import Interface, Withheld
from registry_tools.mesh.lock import Pin
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.relation_map import fits
from registry_tools.mesh.verdict import Classified

WAYS: Final = ("sources", "loom", "package")
ENVIRONMENT: Final = "{ENV}"
# The folder of a consumer below which every file is ours: the packages of stubs.
STUBS_FOLDER: Final = "mesh_packages"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """`environments` is empty where the consumer's own environment decides; of several, the first in which upstream has
    published is read. `databases` and `schemas` are rules (see relation_map) that say what this consumer's account
    calls them; `{ENV}` in them is the environment that the consumer is built in. `included` and `excluded` are names
    of models or patterns with `*`, and nothing is `included` means everything is. `used_only` leaves out what no file
    of the consumer refers to. `tests` repeats upstream's unique and not_null tests at the consumer.
    """

    name: str
    way: str = "sources"
    environments: tuple[str, ...] = ()
    tests: bool = False
    databases: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    used_only: bool = False

    @property
    def function(self) -> Literal["ref", "source"]:
        """The function of dbt by which this consumer's files read it."""
        return "source" if self.way == "sources" else "ref"

    def wants(self, model: PublicModel) -> bool:
        """Whether `included` and `excluded` leave the model in."""
        included = not self.included or any(fits(pattern, model.name) for pattern in self.included)
        return included and not any(fits(pattern, model.name) for pattern in self.excluded)

    def built_in(self, environment: str) -> "Upstream":
        """The same with `{ENV}` in its rules filled in: the environment in upper case, '-' as '_'."""
        name = environment.upper().replace("-", "_")
        databases, schemas = (
            {rule.replace(ENVIRONMENT, name): target.replace(ENVIRONMENT, name) for rule, target in rules.items()}
            for rules in (self.databases, self.schemas)
        )
        return replace(self, databases=databases, schemas=schemas)

    def seen(self, interface: Interface) -> Interface:
        """What this consumer wants of it, with its names.

        Raises UsageError for a name that needs quotes and has none, and for two models that would have one relation.
        """
        where = f"mesh.yml: databases and schemas of the upstream {self.name}"
        try:
            mapped = interface.kept(self.wants).mapped(self.databases, self.schemas)
        except ValueError as error:
            then = "name the database and the schema as the warehouse stores them without quotes"
            raise UsageError(str(error), where=where, then=then) from None
        if self.databases or self.schemas:
            self._expect_apart(mapped, where)
        return mapped

    def _expect_apart(self, mapped: Interface, where: str) -> None:
        there: dict[str, PublicModel] = {}
        for model in mapped.models:
            relation = str(model.relation(mapped.adapter))
            other = there.setdefault(relation, model)
            if other is not model:
                raise UsageError(
                    f"{other.label} and {model.label} of {self.name} would both be {relation}",
                    where=where,
                    then="give each database and schema a name of its own, or leave one of the models out (excluded)",
                )

    def idle(self, interface: Interface) -> Iterator[str]:
        """A line for each rule or pattern that fits nothing that upstream has published: it is most likely mistyped."""
        for key, patterns in (("included", self.included), ("excluded", self.excluded)):
            for pattern in patterns:
                if not any(fits(pattern, model.name) for model in interface.models):
                    yield f"{key}: {pattern} fits no public model of {self.name}"
        relations = [model.relation(interface.adapter) for model in interface.models]
        for kind, rules, parts in (
            ("databases", self.databases, {relation.database for relation in relations}),
            ("schemas", self.schemas, {relation.schema for relation in relations}),
        ):
            there = sorted(part.name for part in parts if part)
            for rule in rules:
                if not any(fits(rule, name) for name in there):
                    known = f"; it has {', '.join(there)}" if there else ""
                    yield f"{kind}: {rule} fits no relation of {self.name}{known}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedUpstream:
    """One upstream as this consumer sees it: its interface as published; what this consumer may read of it, with the
    consumer's names for databases and schemas; its pin, and the pin that stood in mesh.lock before.

    `passed_over` are the environments that come before the one that is read, and in which upstream has published
    nothing. `changes` is what an upgrade that was asked for changes, BREAKING first; `yanked` is why what is pinned was
    withdrawn; `withheld` are the public models that this consumer may not read. `tables` are the names of sources that
    are wanted, where not all are.
    """

    upstream: Upstream
    publication: Publication
    published: Interface
    interface: Interface
    pin: Pin
    before: Pin | None
    passed_over: tuple[str, ...] = ()
    changes: tuple[Classified, ...] = ()
    yanked: str | None = None
    withheld: tuple[Withheld, ...] = ()
    tables: frozenset[str] | None = None


def stub_materialization(upstream: str) -> str:
    """The materialization of its stubs, which builds nothing; each has one, because dbt declines two of one name."""
    return f"mesh_stub_{upstream}"
