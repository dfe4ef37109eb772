"""`mesh grants`: a project in, the grants that its consumers need planned, carried out, or told to another account."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from registry_tools.account.session import Session
from registry_tools.artifacts.grants_report import grants_document, grants_markdown
from registry_tools.artifacts.grants_sql import grants_script, step_sql
from registry_tools.artifacts.share_text import Guest, share_text
from registry_tools.cli.connecting import connection_options, names_an_account, session_from
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from, selected
from registry_tools.cli.options import environment_option, flags, format_option, project_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json, warn
from registry_tools.errors import UsageError
from registry_tools.intake.project import FILE, read_project
from registry_tools.mesh.account import parse_path, spelled
from registry_tools.mesh.grant_plan import GrantPlan, Step
from registry_tools.settings import Mesh, deployment_of, find_mesh
from registry_tools.tasks.plan_grants import (
    GrantRequest,
    Meant,
    apply_grants,
    held_now,
    held_then,
    previewed_grants,
    published_grants,
)

F = TypeVar("F", bound=Callable[..., Any])

_HELP: Final = {"help_option_names": ["-h", "--help"]}
_FORMATS: Final = ("text", "json", "sql", "markdown")
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


def _whose(command: F) -> F:
    """The project, its environment, its folder and the registry: what all three commands begin with."""
    for option in (
        registry_options,
        environment_option,
        project_option,
        click.argument("project", required=False, metavar="[PROJECT]"),
    ):
        command = option(command)
    return command


@click.group("grants", context_settings=_HELP)
def command() -> None:
    """Plan or apply the grants that let consumers read exactly the public models.

    What is public is what PROJECT has published, by default the project of this folder; who reads it stands in
    mesh.yml. Models with meta.mesh.consumers are read by a database role of their own.
    """


@command.command("plan", context_settings=_HELP)
@_whose
@connection_options
@click.option("--from-file", type=_FILE, metavar="FILE", help="Answers to --questions, instead of a live account.")
@click.option("--manifest", type=_FILE, metavar="FILE", help="Plan what this would ask for, were it published.")
@click.option("--questions", is_flag=True, help="Print the statements whose answers --from-file takes.")
@click.option("--check", is_flag=True, help="Exit 1 when consumers cannot read exactly what is public.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", help="For people, programs, or to run.")
@at_the_edge
def plan(form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Show what has to be granted and revoked, and why. Nothing is changed."""
    meant = _meant(options)
    if options["questions"]:
        click.echo("".join(f"{question};\n" for question in meant.questions), nl=False)
        return 0
    made = _planned(meant, options)
    title = f"grants of {meant.source}"
    match form:
        case "json":
            show_json({"source": meant.source, **grants_document(made)})
        case "sql":
            click.echo(grants_script(made), nl=False)
        case "markdown":
            click.echo(grants_markdown(made, title), nl=False)
        case _:
            _show(made, meant)
    return 1 if options["check"] and not made.is_settled else 0


@command.command("apply", context_settings=_HELP)
@_whose
@connection_options
@format_option
@at_the_edge
def apply(form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Grant and revoke what the plan says, as the project's own role; once more changes nothing.

    It stops at the first statement that is declined. Exit 1 where a public model is not built yet, or a role is
    another's: everything else is granted all the same.
    """
    meant = _meant({"manifest": None, **options})
    with session_from(options) as session:
        made = meant.plan(held_now(meant, session))
        steps = _carried_out(made, session, is_shown=form == "text")
    if form == "json":
        show_json({"source": meant.source, **grants_document(made), "settled": not made.is_short})
        return 1 if made.is_short else 0
    done(f"{meant.source}: {_done(steps)}")
    _remark(made, meant)
    return 1 if made.is_short else 0


@command.command("share", context_settings=_HELP)
@_whose
@click.option("--account", required=True, metavar="ORGANIZATION.ACCOUNT", help="The account that shares.")
@click.option("--database", metavar="NAME", help="What the share is called there.  [default: DATABASE_SHARED]")
@click.option("--role", required=True, metavar="NAME", help="The role that builds there.")
@at_the_edge
def share(account: str, database: str | None, role: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Print what a consumer in another account runs and writes into its mesh.yml to read PROJECT through its share."""
    meant = _meant({"manifest": None, **options})
    guest = Guest(
        shared_by=".".join(map(spelled, _typed(account, "--account", 2))),
        database=_plain(_typed(database or f"{meant.place.database}_SHARED", "--database", 1)[0]),
        role=_typed(role, "--role", 1)[0],
    )
    click.echo(share_text(meant.interface.project, meant.wanted.readers, meant.place, guest), nl=False)


def _meant(options: dict[str, Any]) -> Meant:
    """What the published interface, or --manifest, asks for."""
    where, folder, environment = flags(options), options["project_dir"], options["environment"]
    selector = selected(options["project"], folder, environment)
    mesh = find_mesh(folder, os.environ)
    request = GrantRequest(
        selector=selector, deployment=deployment_of(mesh), manifest=_manifest(mesh, selector.project, folder)
    )
    if options["manifest"]:
        return previewed_grants(request, options["manifest"])
    return published_grants(request, open_from(where, folder).registry)


def _manifest(mesh: Mesh, project: str, folder: Path) -> Path | None:
    """The manifest of its last build: in this folder where it is the project's, else in that of mesh.yml."""
    described = mesh.projects.get(project)
    for place in (folder, described.path if described else folder):
        if (place / FILE).is_file() and (found := read_project(place, os.environ)).name == project:
            return found.manifest
    return None


def _typed(name: str, flag: str, parts: int) -> tuple[str, ...]:
    """The parts of a name that somebody typed as in SQL."""
    try:
        found = parse_path(name)
    except ValueError:
        found = ()
    if len(found) != parts or not all(map(str.isprintable, found)):
        form = "ORGANIZATION.ACCOUNT" if parts > 1 else "a name as in SQL"
        raise UsageError(f"{name!r} is not what it should be", where=flag, then=f"write {form}")
    return found


def _plain(database: str) -> str:
    """A database's name that may stand in mesh.yml below `databases`."""
    if spelled(database) != database:
        raise UsageError(f"{spelled(database)} needs its quotes", where="--database", then="use a name that needs none")
    return database


def _planned(meant: Meant, options: dict[str, Any]) -> GrantPlan:
    file: Path | None = options["from_file"]
    if file and (options["connection"] or options["embedded"]):
        raise UsageError("--from-file and a live account exclude each other", then="leave one of them out")
    if file:
        return meant.plan(held_then(meant, file))
    if not names_an_account(options):
        then = "add --connection NAME or --embedded; or run what --questions prints and give --from-file the answers"
        raise UsageError("nobody says what is granted now", then=then)
    with session_from(options) as session:
        return meant.plan(held_now(meant, session))


def _carried_out(made: GrantPlan, session: Session, *, is_shown: bool) -> list[Step]:
    """The steps as they were done, each shown once it is."""
    finished = []
    for step in apply_grants(made, session):
        finished.append(step)
        if is_shown:
            detail(step_sql(step))
    return finished


def _show(made: GrantPlan, meant: Meant) -> None:
    models = sum(len(reader.relations) for reader in made.readers)
    to_do = counted(len(made.steps), "statement") + " to run" if made.steps else "nothing to grant or revoke"
    done(f"{meant.source}: {counted(models, 'public model')} for {counted(len(made.readers), 'reader role')}, {to_do}")
    for step in made.steps:
        detail(step_sql(step))
        detail(f"    {step.why}")
    _remark(made, meant)
    if made.steps:
        detail(f"next: mesh grants apply, which runs this as {made.role}")


def _remark(made: GrantPlan, meant: Meant) -> None:
    for label, relation in made.unbuilt:
        project, place = meant.interface.project, relation.path
        warn(f"{label} is public and not built at {place}: dbt build in {project}, then mesh grants apply again")
    for remark in made.remarks:
        warn(f"{remark.what}; {remark.then}")


def _done(steps: list[Step]) -> str:
    if not steps:
        return "nothing to grant or revoke"
    revoked = sum(step.verb == "revoke" for step in steps)
    return f"{counted(len(steps) - revoked, 'statement')} to grant and {revoked} to revoke are done"
