"""`mesh snowflake plan|apply|check|...`: SQL files and an account in, what they have of each other out."""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from registry_tools.account.connection import LiveSession
from registry_tools.artifacts.access_report import access_document, access_lines, access_markdown
from registry_tools.artifacts.setup_report import plan_document, plan_lines, plan_markdown
from registry_tools.cli.connecting import account_file_option, connection_options, names_an_account, session_from
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.options import format_option
from registry_tools.cli.output import counted, detail, done, progress, show_json, warn
from registry_tools.cli.prune import prune
from registry_tools.cli.render import rendered
from registry_tools.disk import write_whole
from registry_tools.errors import DocumentError, Refusal, UsageError
from registry_tools.intake.setup_scripts import read_scripts
from registry_tools.mesh.account import Account
from registry_tools.mesh.account_document import Seen, account_bytes
from registry_tools.mesh.deployment import Deployment
from registry_tools.mesh.setup_plan import SetupPlan
from registry_tools.settings import deployment_of, find_mesh
from registry_tools.tasks.check_access import check_access
from registry_tools.tasks.see_account import see_file, see_keys, see_live, see_nothing, see_roles
from registry_tools.tasks.set_up_account import apply_setup, expect_roles, plan_setup

_HELP = {"help_option_names": ["-h", "--help"]}
# The roles from which no grant is hidden (Access control privileges, MANAGE GRANTS).
_SEEING = ("ACCOUNTADMIN", "SECURITYADMIN")
_FORMATS = ("text", "json", "markdown")
_scripts = click.argument("scripts", nargs=-1, metavar="[FILE]...", type=click.Path(dir_okay=False, path_type=Path))
_format = click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="text", help="For people, for programs, or for a comment."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """The account that a command is about: what it has, who saw it, and the session where it is a live one."""

    account: Account
    seen: Seen | None
    session: LiveSession | None

    @property
    def words(self) -> str:
        """Which account it is, for people."""
        if self.seen is None:
            return "an empty account"
        live = "" if self.session else f" on {self.seen.at}"
        return f"the account {self.seen.name}, as {self.seen.role} sees it{live}"


@click.group("snowflake", context_settings=_HELP)
def command() -> None:
    """Plan, apply or check what the Snowflake account has of this mesh.

    Which account is meant say --connection, --embedded, or SNOWFLAKE_ACCOUNT and its sisters; --from-file puts an
    account that was read before in its place.
    """


command.add_command(prune)


@command.command("render", context_settings=_HELP)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not as mesh.yml has it.")
@format_option
@at_the_edge
def render(form: str, *, check: bool) -> int:
    """Write the SQL and the profiles of snowflake_setup/, as mesh.yml describes them."""
    return rendered(("snowflake",), form, check=check)


@command.command("plan", context_settings=_HELP)
@_scripts
@connection_options
@account_file_option
@click.option("--from-nothing", is_flag=True, help="Plan for an empty account, whatever is connected.")
@click.option("--check", is_flag=True, help="Exit 1 when anything would change.")
@_format
@at_the_edge
def plan(scripts: tuple[Path, ...], form: str, *, from_nothing: bool, check: bool, **options: Any) -> int:  # noqa: ANN401  # click's
    """Show which statements of snowflake_setup/ would change the account, with file, line and role.

    FILE names other SQL files instead. Without a connection and without --from-file an empty account is meant.
    Nothing is changed.
    """
    deployment, root = _deployment()
    with ExitStack() as stack:
        asked = _ask(deployment, options, stack, nothing=from_nothing)
        planned = plan_setup(read_scripts(root, scripts), asked.account)
        if asked.session:
            _warn_of_roles(planned, asked.session)
    _show_plan(planned, asked, form)
    return 1 if check and planned.steps else 0


@command.command("apply", context_settings=_HELP)
@_scripts
@connection_options
@click.option("--dry-run", is_flag=True, help="Read the account and show the plan, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
@at_the_edge
def apply(scripts: tuple[Path, ...], form: str, *, dry_run: bool, yes: bool, **options: Any) -> int:  # noqa: ANN401  # click's
    """Carry out what mesh snowflake plan shows, each statement in its role, up to the first that fails.

    It may be run again at any time: what is done already is left out.
    """
    deployment, root = _deployment()
    files = read_scripts(root, scripts)
    with ExitStack() as stack:
        asked = _ask(deployment, options, stack, live=True)
        assert asked.session is not None  # noqa: S101  # for the type checker: `live` sees to it
        planned = plan_setup(files, asked.account)
        expect_roles(planned, see_roles(asked.session))
        if dry_run or not planned.steps:
            _show_plan(planned, asked, form)
            if dry_run and form == "text":
                detail("nothing was changed")
            return 0
        if not yes:
            _confirm(planned, asked)
        return _carry_out(planned, asked, form)


@command.command("check", context_settings=_HELP)
@_scripts
@connection_options
@account_file_option
@_format
@at_the_edge
def check(scripts: tuple[Path, ...], form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Show which role can do what in which database, and whatever is not as snowflake_setup/ says; then exit 1.

    Without a connection and without --from-file, it is the matrix that these files make.
    """
    deployment, root = _deployment()
    with ExitStack() as stack:
        asked = _ask(deployment, options, stack)
    found = asked.account if asked.seen else None
    checked = check_access(read_scripts(root, scripts), see_nothing(deployment), found, deployment)
    words = asked.words if asked.seen else "what the files make of an empty account"
    if form == "json":
        show_json(access_document(checked, words))
    elif form == "markdown":
        click.echo(access_markdown(checked, words), nl=False)
    else:
        for line in access_lines(checked, words):
            click.echo(line)
        _tell_of_no_account(asked)
    return 1 if checked.differences else 0


def _carry_out(planned: SetupPlan, asked: _Asked, form: str) -> int:
    assert asked.session is not None  # noqa: S101  # for the type checker
    carried_out = []
    with progress("setting up") as told:
        for step in apply_setup(planned, asked.session):
            carried_out.append(step)
            told(len(carried_out), len(planned.steps))
            if form == "text":
                done(f"{step.place}  {step.statement.on_one_line}")
    if form == "json":
        show_json({**plan_document(planned, asked.words), "applied": len(carried_out)})
    else:
        click.echo(f"{counted(len(carried_out), 'statement')} carried out in {asked.words}")
        detail("next: mesh snowflake check")
    return 0


def _show_plan(planned: SetupPlan, asked: _Asked, form: str) -> None:
    if form == "json":
        show_json(plan_document(planned, asked.words))
        return
    if form == "markdown":
        click.echo(plan_markdown(planned, asked.words), nl=False)
        return
    for line in plan_lines(planned, asked.words):
        click.echo(line)
    _tell_of_no_account(asked)


def _tell_of_no_account(asked: _Asked) -> None:
    if asked.seen is None:
        detail("no account was looked at: name one with --connection, --embedded, SNOWFLAKE_ACCOUNT or --from-file")


def _warn_of_roles(planned: SetupPlan, session: LiveSession) -> None:
    try:
        expect_roles(planned, see_roles(session))
    except Refusal as refusal:
        warn(refusal.what, [*refusal.details, f"next: {refusal.then}"])


def _confirm(planned: SetupPlan, asked: _Asked) -> None:
    """Raises UsageError where nobody can be asked, and click.Abort for a no."""
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether to change the account", then="mesh snowflake apply --yes")
    for line in plan_lines(planned, asked.words):
        click.echo(line, err=True)
    click.confirm(f"Carry out {counted(len(planned.steps), 'statement')}?", abort=True, err=True)


@command.command("snapshot", context_settings=_HELP)
@connection_options
@click.option(
    "--output",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it.",
)
@at_the_edge
def snapshot(output: Path, **options: Any) -> None:  # noqa: ANN401  # click's
    """Read what the account has of this mesh, and who could reach it, into a file for --from-file.

    It holds names, owners, grants and settings, and public keys; no data, no e-mail address and nothing secret.
    """
    deployment, _ = _deployment()
    with ExitStack() as stack:
        asked = _ask(deployment, options, stack, live=True)
    assert asked.seen is not None  # noqa: S101  # for the type checker: `live` sees to it
    try:
        write_whole(output, account_bytes(asked.seen))
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise DocumentError(what, where=str(output), then="name another --output") from None
    found = asked.seen.account
    done(f"{output}: {asked.words}")
    detail(f"{counted(len(found.objects), 'thing')}, {counted(len(found.grants), 'grant')}")


@command.command("keys", context_settings=_HELP)
@click.argument("users", nargs=-1, metavar="[USER]...")
@connection_options
@format_option
@at_the_edge
def keys(users: tuple[str, ...], form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Show the fingerprints of the public keys of service users, or of these users."""
    deployment, _ = _deployment()
    wanted = tuple(name.upper() for name in users) or tuple(dict.fromkeys(p.user for _, p in deployment.placed))
    with session_from(options) as session:
        found = see_keys(session, wanted)
    if form == "json":
        show_json({"users": found})
        return
    for name, held in found.items():
        done(name) if held else warn(f"{name} has no key")
        for property_, fingerprint in held.items():
            detail(f"{property_}  {fingerprint}")


def _deployment() -> tuple[Deployment, Path]:
    """What the mesh.yml of this folder says, and the folder in which it stands."""
    mesh = find_mesh(Path(), os.environ)
    deployment = deployment_of(mesh)
    assert mesh.file is not None  # noqa: S101  # for the type checker: without it there is no deployment
    return deployment, mesh.file.parent


def _ask(
    deployment: Deployment, options: dict[str, Any], stack: ExitStack, *, live: bool = False, nothing: bool = False
) -> _Asked:
    """The account that the options mean; its session lasts as long as the stack. Only a live one will do for `live`."""
    file = options.pop("account_file", None)
    if nothing and file:
        raise UsageError("--from-nothing and --from-file name two accounts", then="leave one of them out")
    if file and not (options["connection"] or options["embedded"]):
        seen = see_file(file)
        return _Asked(account=seen.account, seen=seen, session=None)
    if nothing or not (live or file or names_an_account(options)):
        return _Asked(account=see_nothing(deployment), seen=None, session=None)
    session = stack.enter_context(session_from({**options, "account_file": file}))
    with progress("reading the account") as told:
        seen = see_live(session, deployment, told)
    if seen.role not in _SEEING:
        beneath = ["next: export SNOWFLAKE_ROLE=ACCOUNTADMIN, or give --connection a role that sees everything"]
        warn(f"{seen.role} sees only what it has to do with; what it does not see, is missing here", beneath)
    return _Asked(account=seen.account, seen=seen, session=session)
