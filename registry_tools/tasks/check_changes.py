"""A candidate manifest and the registry in, what publishing it would do to whoever reads it out; nothing is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from registry_tools.assessment import CANDIDATE, Terms, assess
from registry_tools.checks.readership import Consumption, Failure, Named
from registry_tools.errors import IntegrityError, RegistryError, UsageError
from registry_tools.intake.declared import declared_places
from registry_tools.intake.manifest import Manifest, as_manifest, read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.sql.reading import Fault
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.usage import Usage
from registry_tools.mesh.use import Place
from registry_tools.mesh.verdict import NOTHING, Verdict
from registry_tools.registry.pins import first_published
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangesRequest:
    """Which manifest is to take the place of which publication, and on what terms: of the one that is current in
    the first of `environments` in which the project has published, where none is named.

    `folder` is the project's, where its YAML stands. With `compile` the SQL of every consumer whose whole manifest may
    be read is held against the new interface itself, and not what it said of itself.
    """

    manifest: Path
    folder: Path
    environments: Sequence[str]
    terms: Callable[[str], Terms]
    against: Selector | None = None
    compile: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The verdict, and where the project's own files declare what changed (intake.declared)."""

    verdict: Verdict
    places: Mapping[str, Place]


def check_changes(request: ChangesRequest, registry: Registry) -> Checked:
    """The verdict on publishing the manifest.

    A project that has published nothing anywhere can hurt nobody. Raises DocumentError for a manifest that is none,
    UsageError for one of another project and where nothing is published that it is to be held against.
    """
    manifest = read_manifest(request.manifest)
    against = request.against
    if against is None and not registry.environments(manifest.project):
        return Checked(verdict=_first(manifest.project, request.environments[0], registry), places={})
    if against is None:
        environment, _ = first_published(registry, manifest.project, request.environments)
        against = Selector(project=manifest.project, environment=environment)
    elif manifest.project != against.project:
        raise UsageError(
            f"this is the manifest of {manifest.project}, and {against} is another project's",
            where=str(manifest.path),
            then=f"name the folder of {against.project} with --project-dir, or --against {manifest.project}@...",
        )
    record = registry.resolve(against).record
    terms = request.terms(manifest.project)
    if not against.is_current:
        terms = replace(terms, approvals=registry.require(against.project, against.environment).approvals)
    verify = partial(_verified, registry) if request.compile else None
    assessed = assess(registry, extract_interface(manifest), against.environment, record, terms, verify)
    return Checked(verdict=assessed.verdict, places=_places(manifest, request.folder, assessed.verdict))


def _first(project: str, environment: str, registry: Registry) -> Verdict:
    notice = f"{project} has published nothing in {registry.store.root}: this would be its first publication"
    return Verdict(
        project=project,
        environment=environment,
        old=NOTHING,
        new=CANDIDATE,
        answer="yes",
        judged=(),
        readers=(),
        notices=(notice,),
    )


def _places(manifest: Manifest, folder: Path, verdict: Verdict) -> dict[str, Place]:
    labels = {judged.change.model for judged in verdict.judged if judged.change.model}
    return declared_places(manifest, folder, labels) if labels else {}


def _verified(registry: Registry, said: Consumption, old: Interface, new: Interface) -> Consumption:
    """The consumer as its own whole manifest has it: what it reads, and what of it does not compile against `new`."""
    # what reads SQL is loaded by whoever asks for it
    from registry_tools.intake.column_usage import read_faults, read_usage
    from registry_tools.intake.readings import Readings

    place = f"{said.consumer}@{said.environment}"
    try:
        _, state = registry.current_with_state(said.consumer, said.environment)
    except IntegrityError:
        raise
    except RegistryError as error:
        return replace(said, why_not=f"its whole manifest cannot be read: {error.what}")
    if state is None:
        return replace(said, why_not="it published no whole manifest (--no-state)")
    manifest = as_manifest(state, Path(f"{place} manifest.json"))
    with Readings(manifest.adapter) as readings:
        seen = read_usage(manifest, {old.project: old}, readings)
        known = set(_unlined(read_faults(manifest, {old.project: old}, readings)))
        found = [
            each for each in read_faults(manifest, {old.project: new}, readings) if next(_unlined([each])) not in known
        ]
    usage = msgspec.structs.replace(said.usage, reads=seen.reads, passes=seen.passes)
    return replace(said, usage=usage, failures=tuple(_failures(found, usage, old)), verified=True)


def _unlined(faults: Iterable[tuple[str, str, Fault]]) -> Iterator[tuple[str, str, bool]]:
    return ((node, fault.name, fault.ambiguous) for node, _, fault in faults)


def _failures(found: Iterable[tuple[str, str, Fault]], usage: Usage, old: Interface) -> Iterator[Failure]:
    """The names that are wrong only now, each told of every model of the upstream that its node reads."""
    named = Named(old)
    reads: dict[str, set[str]] = {}
    for read in usage.reads:
        if read.upstream == old.project and (model := named.find(read.model, read.version)):
            reads.setdefault(read.node, set()).add(model.label)
    for node, path, fault in found:
        for label in sorted(reads.get(node, ())):
            yield Failure(node=node, model=label, column=fault.name, path=path, line=fault.line, told=str(fault))
