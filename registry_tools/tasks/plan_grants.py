"""A project's published interface and what the account holds in, the plan of grants out; and the plan carried out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registry_tools.account.held_grants import questions, read_held, told_by, unanswered
from registry_tools.account.session import Session
from registry_tools.artifacts.grants_sql import step_sql, use_role
from registry_tools.checks.grants import plan_grants as planned
from registry_tools.checks.keeping import lost_grants
from registry_tools.checks.readers import Wanted, wanted_readers
from registry_tools.errors import AccountError, DocumentError, UsageError
from registry_tools.intake.copy_grants import read_keeping
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.shown_grants import THEN, read_shown_grants
from registry_tools.mesh.account import Account, Securable, spelled
from registry_tools.mesh.deployment import Deployment, Place
from registry_tools.mesh.grant_plan import GrantPlan, Held, Step
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.observation import Observation
from registry_tools.mesh.selector import Selector
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantRequest:
    """Whose consumers are meant, in which environment, and where mesh.yml says that it runs.

    `manifest` is that of its last build, if there is one: what it says of copy_grants is held against what is public.
    """

    selector: Selector
    deployment: Deployment
    manifest: Path | None = None

    @property
    def place(self) -> Place:
        """Where the project is built. Raises UsageError where mesh.yml does not say it, and where nobody reads it."""
        project = self.deployment.project(self.selector.project)
        if project is None:
            then = f"write projects.{self.selector.project}.snowflake: {{database: ..., warehouse: ..., role: ...}}"
            raise UsageError(f"mesh.yml does not say where {self.selector.project} runs", where="mesh.yml", then=then)
        place = project.place(self.selector.environment)
        if place is None:
            known = ", ".join(other.environment for other in project.places)
            then = f"add it to environments, or use one of {known}"
            raise UsageError(f"mesh.yml has no environment {self.selector.environment}", where="mesh.yml", then=then)
        if not place.lasting:
            what = f"nobody reads {self.selector}: no environment in mesh.yml has reads: {self.selector.environment}"
            raise UsageError(what, where="mesh.yml", then="use --env prod, or let an environment of mesh.yml read it")
        return place


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """What consumers should be able to read: of which publication, and by which roles."""

    source: str
    interface: Interface
    wanted: Wanted
    place: Place
    deployment: Deployment
    keeping: tuple[Observation, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """What to ask the account by hand, so that --from-file can be given the answers."""
        return tuple(question.sql for question in questions(self.place.database, self.wanted.readers))

    def plan(self, held: Held) -> GrantPlan:
        """What has to be done where this is held."""
        wanted = Wanted(readers=self.wanted.readers, remarks=(*self.wanted.remarks, *self.keeping))
        return planned(wanted, held, self.place, self.deployment)


def published_grants(request: GrantRequest, registry: Registry) -> Meant:
    """What the published interface asks for. Raises UsageError where nothing is published, or for another warehouse."""
    selector, place = request.selector, request.place
    record = registry.resolve(selector).record
    interface, publication = registry.interface(selector.project, selector.environment, record)
    return _meant(request, place, interface, str(publication))


def previewed_grants(request: GrantRequest, manifest: Path) -> Meant:
    """What the manifest's interface would ask for, if it were published. Raises DocumentError for another project's."""
    read, place = read_manifest(manifest), request.place
    if read.project != request.selector.project:
        what = f"this is the manifest of {read.project}, and {request.selector.project} is meant"
        raise UsageError(what, where=str(manifest), then=f"name the project: mesh grants plan {read.project}")
    return _meant(request, place, extract_interface(read), str(manifest))


def held_now(meant: Meant, session: Session) -> Held:
    """What the account holds of it. Raises AccountError."""
    return read_held(session, meant.place.role, meant.place.database, meant.wanted.readers)


def held_then(meant: Meant, file: Path) -> Held:
    """What a file says that it held. Raises DocumentError."""
    told = read_shown_grants(file)
    if isinstance(told, Account):
        return _in_snapshot(meant, told, file)
    try:
        held = told_by(told, meant.place.database, meant.wanted.readers)
    except ValueError as error:
        raise DocumentError(str(error), where=str(file), then=THEN) from None
    if missing := unanswered(held):
        what = "it does not say what all reader roles hold that are there"
        then = "add these to what mesh grants plan --questions prints, and give all of it to snow sql"
        raise DocumentError(what, where=str(file), details=[f"{each};" for each in missing], then=then)
    return held


def _in_snapshot(meant: Meant, account: Account, file: Path) -> Held:
    """A snapshot has all that there is in the databases and schemas that it has."""
    if Securable("DATABASE", (meant.place.database,)) not in account.objects:
        what = f"there is no database {spelled(meant.place.database)} in this snapshot"
        raise DocumentError(what, where=str(file), then="mesh snowflake apply, or take it where that was done")
    schemas = {schema for reader in meant.wanted.readers for schema in reader.schemas}
    known = {each for each in schemas if Securable("DATABASE", each.name[:1]) in account.objects}
    return Held(account=account, listed=frozenset(known | {each for each in account.objects if each.kind == "SCHEMA"}))


def apply_grants(plan: GrantPlan, session: Session) -> Iterator[Step]:
    """Every step once it is done. Stops at the first that is declined and raises AccountError saying how to go on."""
    if plan.steps:
        session.run(use_role(plan.role))
    for number, step in enumerate(plan.steps):
        try:
            session.run(step_sql(step))
        except AccountError as error:
            left = len(plan.steps) - number
            stands = f"{number} of {len(plan.steps)} statements are done and stand, {left} are left"
            raise type(error)(
                error.what,
                where=error.where,
                details=(*error.details, stands),
                then=f"{error.then}; then mesh grants apply again, which goes on with what is left",
            ) from error
        yield step


def _meant(request: GrantRequest, place: Place, interface: Interface, source: str) -> Meant:
    return Meant(
        source=source,
        interface=interface,
        wanted=wanted_readers(interface, place, request.deployment),
        place=place,
        deployment=request.deployment,
        keeping=_keeping(request),
    )


def _keeping(request: GrantRequest) -> tuple[Observation, ...]:
    """What loses its readers' grants when it is built again, as far as there is a manifest of the project."""
    if request.manifest is None or not request.manifest.is_file():
        return ()
    manifest = read_manifest(request.manifest)
    return lost_grants(read_keeping(manifest)) if manifest.project == request.selector.project else ()
