"""A built project in, its publication in the registry out; what would mislead readers is declined."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from registry_tools.assessment import Assessed, Terms, assess
from registry_tools.checks.keeping import lost_grants
from registry_tools.checks.secrets import Leak, find_leaks
from registry_tools.errors import DocumentError, Refusal, UsageError
from registry_tools.intake.actor import identify_actor
from registry_tools.intake.copy_grants import read_keeping
from registry_tools.intake.lock_file import LOCK, read_lock
from registry_tools.intake.manifest import Manifest, read_manifest
from registry_tools.intake.own_state import extract_state
from registry_tools.intake.project import ProjectFolder
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.run_results import read_failures
from registry_tools.intake.usage import extract_usage
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.lock import Pin
from registry_tools.mesh.observation import Observation
from registry_tools.mesh.progress import Told, unheard
from registry_tools.mesh.publication import Publication, Record
from registry_tools.mesh.usage import Usage
from registry_tools.mesh.verdict import Verdict
from registry_tools.registry.packing import packed
from registry_tools.registry.pins import first_published
from registry_tools.registry.publications import Candidate, Registry

_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishRequest:
    """What to publish, where to, and which warnings the person has waved through.

    `usage_only` leaves the interface as readers have it. `terms` say which changes of it are declined. Its upstreams
    are those that it refers to, that mesh.lock pins, and `upstreams`; each is read as mesh.lock pins it, else in the
    first of the environments `reads` in which it has published. `owner` stands beside what the project reads; with
    `veiled` its private nodes stand there under tokens. What its SQL reads is kept in the file `readings`.
    """

    project: ProjectFolder
    environment: str
    allow_failed: bool = False
    allow_empty: bool = False
    with_state: bool = True
    usage_only: bool = False
    not_secrets: frozenset[str] = frozenset()
    terms: Terms = field(default_factory=Terms)
    upstreams: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    owner: Mapping[str, str] = field(default_factory=dict)
    veiled: bool = False
    readings: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What stands in the registry now, and whether this call put it there; `current` is what readers get.

    `verdict` is that on its changes, if there was anything to hold it against. `moved` is a later one, where consumers
    published while this was on its way. `findings` are about what readers do not see and suffer from.
    """

    publication: Publication
    current: Publication
    is_new: bool
    interface: Interface
    usage: Usage
    verdict: Verdict | None = None
    moved: Verdict | None = None
    findings: tuple[Observation, ...] = ()


def publish_manifest(request: PublishRequest, registry: Registry, told: Told = unheard) -> Published:
    """Publish the project's interface, usage and state as its manifest tells them.

    Raises DocumentError for a manifest that is none or another project's, Refusal for a failed run, a secret in what
    would be published, an interface that lost all its models, or a change that breaks a consumer, RegistryError when
    the registry cannot be reached. Readers see all of it or nothing. `told` hears how many queries are read.
    """
    manifest = read_manifest(request.project.manifest)
    _expect_project(manifest, request.project)
    if not request.allow_failed:
        _refuse_failures(request.project, read_failures(request.project.run_results))
    standing = _standing(manifest, request.environment, registry) if request.usage_only else None
    candidate = _candidate(request, manifest, standing, _usage(request, manifest, registry, told))
    judge = _Judge(request=request, candidate=candidate, registry=registry)
    publication, is_new = registry.publish(candidate, judge)
    current = publication if is_new else registry.current(candidate.project, candidate.environment) or publication
    return Published(
        publication=publication,
        current=current,
        is_new=is_new,
        interface=candidate.interface,
        usage=candidate.usage,
        verdict=judge.assessed.verdict if judge.assessed else None,
        moved=judge.moved() if is_new else None,
        findings=() if request.usage_only else lost_grants(read_keeping(manifest)),
    )


@dataclass(kw_only=True, slots=True)
class _Judge:
    """Declines what must not take the place of what readers have; asked again when somebody else publishes first."""

    request: PublishRequest
    candidate: Candidate
    registry: Registry
    replaced: Record | None = None
    assessed: Assessed | None = None

    def __call__(self, current: Record | None) -> None:
        candidate = self.candidate
        if self.request.usage_only:
            _expect_standing(candidate, current)
        elif current is not None:
            if not candidate.interface.models and not self.request.allow_empty:
                _refuse_emptiness(candidate, self.registry, current)
            self.replaced, self.assessed = current, self._assess(current)
            if self.assessed.verdict.answer != "yes" and not (
                self.request.allow_empty and not candidate.interface.models
            ):
                _refuse_changes(self.assessed.verdict)

    def moved(self) -> Verdict | None:
        """The verdict once more, where a consumer has published since the first and is hurt now."""
        if self.replaced is None or self.assessed is None or not self.assessed.verdict.judged:
            return None
        again = self._assess(self.replaced)
        return again.verdict if again.seen != self.assessed.seen and again.verdict != self.assessed.verdict else None

    def _assess(self, current: Record) -> Assessed:
        request, candidate = self.request, self.candidate
        return assess(self.registry, candidate.interface, candidate.environment, current, request.terms)


def _refuse_changes(verdict: Verdict) -> None:
    from registry_tools.artifacts.verdict_text import plain_text, verdict_text

    *details, then = plain_text(verdict_text(verdict)).splitlines()
    raise Refusal(
        f"{verdict.project} would hurt who reads it"
        if verdict.answer == "no"
        else f"nobody knows whom {verdict.project} would hurt",
        where=f"{verdict.project}@{verdict.environment}",
        details=details,
        then=then.removeprefix("next: "),
    )


def _standing(manifest: Manifest, environment: str, registry: Registry) -> Interface:
    """What readers have of the project now; nothing public before the first publication."""
    entry = registry.newest(manifest.project, environment)
    if entry is None:
        return Interface(project=manifest.project, adapter=manifest.adapter)
    return registry.interface(manifest.project, environment, entry.record)[0]


def _expect_standing(candidate: Candidate, current: Record | None) -> None:
    if current is not None and current.digest != candidate.interface.digest:
        raise Refusal(
            f"{candidate.project} has published another interface meanwhile, which --usage-only would take back",
            where=f"{candidate.project}@{candidate.environment}#{current.n}",
            then="run mesh publish --usage-only again",
        )


def _candidate(request: PublishRequest, manifest: Manifest, standing: Interface | None, usage: Usage) -> Candidate:
    """What the manifest comes to, with the interface that stands where one is given. Raises Refusal for a secret in it.

    Digest and packing of the whole manifest leave Python free, and so are done beside everything else.
    """
    with ThreadPoolExecutor(max_workers=2) as beside:
        identity = beside.submit(lambda: manifest.publication_id if standing is None else manifest.usage_id)
        state = extract_state(manifest) if request.with_state else None
        packing = beside.submit(packed, state) if state is not None else None
        interface = extract_interface(manifest) if standing is None else standing
        private = find_leaks(state, os.environ, readers=False) if state is not None else ()
        candidate = Candidate(
            project=manifest.project,
            environment=request.environment,
            id=identity.result(),
            generated_at=manifest.generated_at.isoformat(),
            interface=interface,
            usage=usage.published({model.unique_id for model in interface.models}) if request.veiled else usage,
            state=packing.result() if packing else None,
            actor=identify_actor(os.environ, request.project.path),
            time=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    _refuse_leaks(candidate, private, request.not_secrets)
    return candidate


def _usage(request: PublishRequest, manifest: Manifest, registry: Registry, told: Told) -> Usage:
    """What the project reads, and which publications of its upstreams it was built against."""
    pins = read_lock(request.project.path / LOCK).pins
    owner = {fact: text for fact, text in request.owner.items() if not _is_private(text)}
    upstreams = sorted({*extract_usage(manifest).upstreams, *pins, *request.upstreams} - {manifest.project})
    if not upstreams:
        return Usage(project=manifest.project, owner=owner)
    # what reads SQL is loaded by whoever has some to read
    from registry_tools.intake.column_usage import read_usage
    from registry_tools.intake.readings import Readings

    interfaces = {}
    for upstream in upstreams:
        interface = _interface(upstream, pins.get(upstream), request, registry)
        if interface is not None:
            interfaces[upstream] = interface
    with Readings(manifest.adapter, request.readings) as readings:
        usage = read_usage(manifest, interfaces, readings, folder=request.project.path, told=told)
    return msgspec.structs.replace(
        usage,
        pins={upstream: pin.publication for upstream, pin in sorted(pins.items())},
        environments={upstream: pin.environment for upstream, pin in sorted(pins.items())},
        owner=owner,
    )


def _is_private(text: str) -> bool:
    """Whether it is what nobody publishes: an e-mail address as the team's contact stays in mesh.yml, for one."""
    return bool(find_leaks(msgspec.json.encode({"owner": text}), {}, readers=True))


def _interface(upstream: str, pin: Pin | None, request: PublishRequest, registry: Registry) -> Interface | None:
    """The upstream's interface as the project was built against it; None where none is published or kept."""
    try:
        if pin is not None:
            record = registry.pinned(upstream, pin.environment, pin.n, pin.record).record
            return registry.interface(upstream, pin.environment, record)[0]
        environment, entry = first_published(registry, upstream, request.reads or (request.environment,))
        return registry.interface(upstream, environment, entry.record)[0]
    except UsageError:  # it published nothing there, or what was pinned is no longer kept
        return None


def _expect_project(manifest: Manifest, project: ProjectFolder) -> None:
    if manifest.project != project.name:
        raise DocumentError(
            f"this is the manifest of {manifest.project}, and {project.path / 'dbt_project.yml'} is {project.name}",
            where=str(manifest.path),
            then=f"run dbt build in {project.path}, then publish again",
        )


def _refuse_failures(project: ProjectFolder, failures: Sequence[str]) -> None:
    if failures:
        more = [f"and {len(failures) - _SHOWN} more"] if len(failures) > _SHOWN else []
        raise Refusal(
            f"the last run of {project.name} failed in {len(failures)} node{'s' * (len(failures) > 1)}",
            where=str(project.run_results),
            details=[*failures[:_SHOWN], *more],
            then="mend them and build again, or publish all the same with --allow-failed",
        )


def _refuse_leaks(candidate: Candidate, private: Sequence[Leak], not_secrets: frozenset[str]) -> None:
    """Raise Refusal for whatever looks like a secret: `private` in the owner's state, the rest for every reader."""
    read = {"interface": candidate.interface, "usage": candidate.usage, "actor": candidate.actor}
    leaks = {leak.id: f"{leak}; only {candidate.project} reads it" for leak in private}
    public = find_leaks(msgspec.json.encode(read), os.environ, readers=True)
    leaks |= {leak.id: f"{leak}; every consumer reads it" for leak in public}
    found = [name for name in leaks if name not in not_secrets]
    if found:
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        raise Refusal(
            f"{candidate.project} would publish what looks like {'a secret' if len(found) == 1 else 'secrets'}",
            where=candidate.id,
            details=[*(leaks[name] for name in found[:_SHOWN]), *more],
            then="take it out, change it where it is valid, build again and publish; or, for exactly one that is none: "
            f"--not-a-secret '{found[0]}'",
        )


def _refuse_emptiness(candidate: Candidate, registry: Registry, current: Record) -> None:
    standing, publication = registry.interface(candidate.project, candidate.environment, current)
    if standing.models:
        raise Refusal(
            f"{candidate.project} has no public model any more, and {publication} has {len(standing.models)}",
            where=candidate.id,
            details=[model.label for model in standing.models[:_SHOWN]],
            then="give the models access: public and build again, or withdraw them all with --allow-empty",
        )
