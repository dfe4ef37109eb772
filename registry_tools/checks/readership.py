"""What consumers read of a project in, the reads by what they reach out: by model, by column, by what is passed on.

Everything is grouped once, so that each of many changes meets only the nodes that it can reach.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from registry_tools.mesh.impact import Reason
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.relation import fold
from registry_tools.mesh.usage import Passed, Read, Usage
from registry_tools.mesh.verdict import Reader


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Failure:
    """A node whose SQL, compiled against the new interface, fails on a model (by its label), and on which column of
    it; None where the compiler names none.
    """

    node: str
    model: str
    column: str | None = None
    path: str = ""
    line: int = 0
    told: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumption:
    """One consumer as it stands in one environment: what it reads of others, and whom to talk to about it.

    Where its whole SQL was compiled against the new interface, `verified` says so and `failures` are what came of it;
    `why_not` says what stood in the way.
    """

    consumer: str
    environment: str
    usage: Usage
    owner: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    verified: bool = False
    why_not: str = ""

    @property
    def who(self) -> Mapping[str, str]:
        """Its owner, as the caller knows it or as it has published it."""
        return self.owner or self.usage.owner


class Held(NamedTuple):
    """A read with whose it is."""

    by: Consumption
    read: Read


class Naming(NamedTuple):
    """A read, how it spells the column in question (None where it does not name it), and whether the column's name
    means something else in its SQL.
    """

    held: Held
    spelled: str | None = None
    takes: bool = False


class Reached(NamedTuple):
    """A reason with whose it is."""

    by: Consumption
    reason: Reason


class Named:
    """The models of an interface by the names under which they are read; `` is the version of who takes the latest."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.labels: dict[str, PublicModel] = {model.label: model for model in interface.models}
        self.models = {(m.name, "" if m.version is None else str(m.version)): m for m in interface.models}
        self.models |= {(model.name, ""): model for model in interface.models if model.is_latest}

    def find(self, name: str, version: str) -> PublicModel | None:
        """The model that `ref` of this name and version means (PublicModel.answers), if it is public."""
        return self.models.get((name, version))


class Columns:
    """The readers of one model, by the columns that they name."""

    def __init__(self, adapter: str, columns: Mapping[str, Column], readers: Iterable[Held]) -> None:
        self._adapter, self._columns = adapter, columns
        self._named: dict[str, list[Held]] = defaultdict(list)  # by the name as it is spelled
        self._taken: dict[str, list[Held]] = defaultdict(list)
        self._loose: list[Held] = []
        self.readers = tuple(readers)
        for held in self.readers:
            read = held.read
            if read.whole or read.is_every:
                self._loose.append(held)
            for name in read.columns:
                self._named[name].append(held)
            for name in read.taken:
                for key in {name, stored(name, None, adapter)}:
                    self._taken[key].append(held)

    @cached_property
    def _spellings(self) -> Mapping[str, list[str]]:
        """How readers spell a name that the warehouse stores."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._named):
            found[stored(name, self._columns.get(name), self._adapter)].append(name)
        return found

    def reached(self, name: str | None, column: Column | None) -> Iterator[Naming]:
        """Everybody who names the column, gives its name another meaning, or carries whole rows; each read once."""
        key = None if name is None else stored(name, column or self._columns.get(name), self._adapter)
        spelled: dict[int, str] = {}
        taking: set[int] = set()
        everybody = {id(held): held for held in self._loose}
        if key is not None:
            for name_there in self._spellings.get(key, ()):
                for held in self._named[name_there]:
                    everybody[id(held)] = held
                    spelled[id(held)] = name_there
            for held in self._taken.get(key, ()):
                everybody[id(held)] = held
                taking.add(id(held))
        for which, held in everybody.items():
            yield Naming(held, spelled.get(which), which in taking)


class Readership:
    """What consumers read of the project of `old`, and of each other, with what it means in `old` and in `new`."""

    def __init__(
        self, old: Interface, new: Interface, consumptions: Iterable[Consumption], publication: str = ""
    ) -> None:
        """`publication` is the id of that of `old`; without one nobody is behind it."""
        self.old, self.new = Named(old), Named(new)
        self.consumptions = tuple(consumptions)
        self.publication = publication
        self._columns: dict[str, Columns] = {}
        self._columns_beyond: dict[tuple[str, str, str], Columns] = {}

    def is_behind(self, by: Consumption) -> bool:
        """Whether the consumer pins another publication than that of `old`."""
        pin = by.usage.pins.get(self.old.interface.project)
        return bool(pin and self.publication) and pin != self.publication

    @cached_property
    def reads(self) -> Mapping[str, list[Held]]:
        """The reads of each model, by its label in `old`; what is missing there already is nobody's."""
        found: dict[str, list[Held]] = defaultdict(list)
        project = self.old.interface.project
        labels = {key: model.label for key, model in self.old.models.items()}
        for by in self.consumptions:
            for read in by.usage.reads:
                if read.upstream == project and (label := labels.get((read.model, read.version))):
                    found[label].append(Held(by, read))
        return found

    def columns(self, label: str) -> Columns:
        """The readers of the model, by columns."""
        if label not in self._columns:
            columns = self.old.labels[label].columns if label in self.old.labels else {}
            self._columns[label] = Columns(self.old.interface.adapter, columns, self.reads.get(label, ()))
        return self._columns[label]

    @cached_property
    def failures(self) -> Mapping[str, list[tuple[Consumption, Failure]]]:
        """What did not compile against `new`, by the model's label."""
        found: dict[str, list[tuple[Consumption, Failure]]] = defaultdict(list)
        for by in self.consumptions:
            for failure in by.failures:
                found[failure.model].append((by, failure))
        return found

    def passes(self, upstream: str, label: str) -> list[tuple[Consumption, Passed]]:
        """What consumers make of the columns of a model: of one of `old`, or of a consumer's."""
        return self._passes.get((upstream, label), [])

    @cached_property
    def _passes(self) -> Mapping[tuple[str, str], list[tuple[Consumption, Passed]]]:
        found: dict[tuple[str, str], list[tuple[Consumption, Passed]]] = defaultdict(list)
        for by in self.consumptions:
            for passed in by.usage.passes:
                for label in self._labels(passed.upstream, passed.model, passed.version):
                    found[passed.upstream, label].append((by, passed))
        return found

    def beyond(self, by: Consumption, label: str) -> Columns:
        """The readers of a public model that a consumer builds, as it stands in the consumer's environment."""
        key = (by.consumer, by.environment, label)
        if key not in self._columns_beyond:
            held = self._beyond.get((by.consumer, label), ())
            here = (each for each in held if each.by.usage.reads_from(by.consumer, by.environment))
            self._columns_beyond[key] = Columns("", {}, here)
        return self._columns_beyond[key]

    @cached_property
    def _beyond(self) -> Mapping[tuple[str, str], list[Held]]:
        """The reads of models that consumers build, by the consumer and the labels that they may mean."""
        built = {(by.consumer, passed.into) for by in self.consumptions for passed in by.usage.passes}
        builders = {consumer for consumer, _ in built}
        found: dict[tuple[str, str], list[Held]] = defaultdict(list)
        for by in self.consumptions:
            for read in by.usage.reads:
                if read.upstream in builders:
                    for label in self._labels(read.upstream, read.model, read.version):
                        found[read.upstream, label].append(Held(by, read))
        return found

    def _labels(self, upstream: str, model: str, version: str) -> Iterable[str]:
        """The labels that a name and a version mean. Of a consumer nobody has said which version is the latest: there
        it may be any.
        """
        if upstream == self.old.interface.project:
            found = self.old.find(model, version)
            return [found.label] if found else []
        return [f"{model}.v{version}"] if version else [model, *self._versions.get((upstream, model), ())]

    @cached_property
    def _versions(self) -> Mapping[tuple[str, str], set[str]]:
        """The versions of models that consumers build, by consumer and name."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for by in self.consumptions:
            for label in {passed.into for passed in by.usage.passes}:
                name, dot, version = label.rpartition(".v")
                if dot and version:
                    found[by.consumer, name].add(label)
        return found

    def readers(self) -> tuple[Reader, ...]:
        """Every consumer that was looked at, once for each environment, with how many of its nodes read the project;
        sorted.
        """
        found: dict[tuple[str, str], list[Consumption]] = defaultdict(list)
        for by in self.consumptions:
            found[by.consumer, by.environment].append(by)
        return tuple(self._reader(*key, found[key]) for key in sorted(found))

    def _reader(self, consumer: str, environment: str, stands: list[Consumption]) -> Reader:
        project = self.old.interface.project
        mine = [read for by in stands for read in by.usage.reads if read.upstream == project]
        return Reader(
            consumer=consumer,
            environment=environment,
            nodes=len({read.node for read in mine}),
            unread=len({read.node for read in mine if read.is_every}),
            owner=owner_of(stands),
            verified=all(by.verified for by in stands),
            why_not=max(by.why_not for by in stands),
        )


def owner_of(stands: Iterable[Consumption]) -> Mapping[str, str]:
    """Whom to talk to about a consumer: whoever is named by one of these, always the same of several."""
    return dict(max(sorted(by.who.items()) for by in stands))


# Where names in quotes are stored as they stand, and tell cases apart: elsewhere a column answers in any.
_CASES_MATTER: Final = ("snowflake", "oracle", "postgres", "redshift", "clickhouse")


def stored(name: str, column: Column | None, adapter: str) -> str:
    """A column's name as the warehouse stores it, or as it finds it where it does not tell cases apart."""
    if adapter not in _CASES_MATTER:
        return name.casefold()
    return name if column is not None and column.quote else fold(name, adapter)
