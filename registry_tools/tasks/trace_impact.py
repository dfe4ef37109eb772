"""A public model or one of its columns in, every node of every project that reads it out.

Who reads it is whoever would notice if it went: the question that a check asks of a change, asked of a change that
nobody has made.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from registry_tools.assessment import Owners, readership_of
from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.impact import impacts
from registry_tools.errors import UsageError
from registry_tools.mesh.impact import EFFECTS, Impact
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.verdict import Reader
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A project, or one of its public models by name or label, or a column of that, as a person writes it."""

    project: str
    model: str | None = None
    column: str | None = None

    def __str__(self) -> str:
        return ".".join(part for part in (self.project, self.model, self.column) if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """What was asked about, as it is published, and who reads it."""

    asked: Asked
    publication: Publication
    models: tuple[PublicModel, ...]
    impacts: tuple[Impact, ...]
    readers: tuple[Reader, ...]


def trace_impact(words: str, environment: str, owners: Owners, registry: Registry) -> Traced:
    """Who reads `dbt_up.public_orders` or `dbt_up.public_orders.amount` as it is published in `environment`.

    Raises UsageError for what is not public there, naming what is near.
    """
    project = words.partition(".")[0]
    record = registry.resolve(Selector(project=project, environment=environment)).record
    interface, publication = registry.interface(project, environment, record)
    asked, models = _find(interface, words)
    readership = readership_of(registry, interface, _without(interface, asked, models), environment, owners)
    new = readership.new.interface
    found = [impacts(one, readership) for one in classified(compare(interface, new), interface, new)]
    return Traced(
        asked=asked,
        publication=publication,
        models=models,
        impacts=_merged(impact for each in found for impact in each),
        readers=readership.readers(),
    )


def _find(interface: Interface, words: str) -> tuple[Asked, tuple[PublicModel, ...]]:
    """What is meant: a name of a model means all of its versions."""
    project, _, rest = words.partition(".")
    asked = Asked(project=project)
    if not rest:
        return asked, interface.models
    for name in (*(model.label for model in interface.models), *(model.name for model in interface.models)):
        if rest == name or rest.startswith(f"{name}."):
            return _in_model(interface, Asked(project=project, model=name), rest[len(name) + 1 :])
    near = difflib.get_close_matches(rest.partition(".")[0], [model.name for model in interface.models], n=1)
    raise UsageError(
        f"{project} has no public model {rest.partition('.')[0]}",
        then=f"did you mean {project}.{near[0]}?" if near else f"mesh show {project} lists them",
    )


def _in_model(interface: Interface, asked: Asked, column: str) -> tuple[Asked, tuple[PublicModel, ...]]:
    models = tuple(model for model in interface.models if asked.model in (model.name, model.label))
    if not column:
        return asked, models
    names = [name for model in models for name in model.columns]
    found = [name for name in names if name == column] or [n for n in names if n.casefold() == column.casefold()]
    if not found:
        near = difflib.get_close_matches(column, names, n=1)
        raise UsageError(
            f"{asked} has no column {column} that is declared",
            then=f"did you mean {asked}.{near[0]}?" if near else f"mesh impact {asked} shows who reads the model",
        )
    return replace(asked, column=found[0]), tuple(model for model in models if found[0] in model.columns)


def _without(interface: Interface, asked: Asked, models: Sequence[PublicModel]) -> Interface:
    """The interface if what is asked about were gone."""
    if asked.column is None:
        gone = {model.unique_id for model in models}
        return interface.kept(lambda model: model.unique_id not in gone)
    less = {
        model.unique_id: msgspec.structs.replace(
            model, columns={name: column for name, column in model.columns.items() if name != asked.column}
        )
        for model in models
    }
    return msgspec.structs.replace(interface, models=tuple(less.get(m.unique_id, m) for m in interface.models))


def _merged(impacts: Iterable[Impact]) -> tuple[Impact, ...]:
    """One impact for each consumer and environment, with all of the reasons."""
    found: dict[tuple[str, str], Impact] = {}
    for impact in impacts:
        key = (impact.consumer, impact.environment)
        known = found.get(key, impact)
        reasons = tuple(sorted({*known.reasons, *impact.reasons}, key=lambda each: (EFFECTS.index(each.effect), each)))
        found[key] = replace(known, effect=reasons[0].effect, reasons=reasons)
    return tuple(found[key] for key in sorted(found))
