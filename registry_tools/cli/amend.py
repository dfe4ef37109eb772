"""`mesh rollback`, `mesh yank`, `mesh approve`: a selector and a reason in, the record that says so out."""

import difflib
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import flags, format_option, registry_options
from registry_tools.cli.output import detail, done, show_json
from registry_tools.errors import UsageError
from registry_tools.mesh.change import RULES
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.selector import parse_selector
from registry_tools.registry.amendments import Amended
from registry_tools.tasks import amend_log
from registry_tools.tasks.amend_log import AmendRequest

_OBJECT: Final = re.compile(r"(?P<project>\w+)(?:\.[\w$ :-]+)*")
_DAYS: Final = 14

_allow_broken = click.option("--allow-broken", is_flag=True, help="Although a consumer reads what would be gone.")


@click.command("rollback", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selector")
@registry_options
@click.option("--reason", help="Why; it stands in the log for all to read.")
@_allow_broken
@format_option
@at_the_edge
def rollback(selector: str, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Make an earlier publication current again: PROJECT@ENV#N, or any other way to select one. Nothing is uploaded."""
    opened = open_from(flags(options), Path())
    request = AmendRequest(target=parse_selector(selector), **options)
    _show(amend_log.roll_back(request, opened.registry), form, "rolled back", "was that already")


@click.command("yank", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selector")
@registry_options
@click.option("--reason", required=True, help="Why; whoever has pinned it is told.")
@_allow_broken
@format_option
@at_the_edge
def yank(selector: str, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Withdraw a publication: nobody gets it any more but those who have pinned it, and they are warned."""
    opened = open_from(flags(options), Path())
    request = AmendRequest(target=parse_selector(selector), **options)
    _show(amend_log.yank(request, opened.registry), form, "yanked", "was yanked already")


@click.command("approve", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("rule")
@click.argument("changed", metavar="OBJECT")
@registry_options
@click.option(
    "--env", "environment", envvar="DBT_MESH_ENV", default="prod", help="Whose publications.  [default: prod]"
)
@click.option("--until", metavar="DAY", help="The last day on which it holds.  [default: in two weeks]")
@click.option("--reason", required=True, help="Why; it stands in the log for all to read.")
@format_option
@at_the_edge
def approve(rule: str, changed: str, environment: str, until: str | None, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Record that a change is allowed although a rule forbids it: RULE PROJECT.MODEL[.COLUMN]."""
    opened = open_from(flags(options), Path())
    if rule not in RULES:
        near = difflib.get_close_matches(rule, RULES, n=1)
        then = f"did you mean {near[0]}?" if near else "write it as the report does: column-removed; see docs/rules.md"
        raise UsageError(f"{rule!r} is no rule", then=then)
    shape = _OBJECT.fullmatch(changed)
    if shape is None:
        raise UsageError(f"{changed!r} is no object", then="write dbt_up.public_orders or dbt_up.public_orders.amount")
    approval = Approval(rule=rule, object=changed, until=_day(until), reason=options["reason"])
    target = parse_selector(shape["project"], environment)
    amended = amend_log.approve(AmendRequest(target=target, reason=options["reason"]), opened.registry, approval)
    _show(amended, form, f"approved {rule} of {changed} until {approval.until}", "was approved already")


def _day(typed: str | None) -> str:
    today = datetime.now(UTC).date()
    if typed is None:
        return (today + timedelta(days=_DAYS)).isoformat()
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise UsageError(f"{typed!r} is no day", where="--until", then="write it as 2026-12-31") from None
    if day < today:
        raise UsageError(f"{typed} is over", where="--until", then="name a day that is still to come")
    return day.isoformat()


def _show(amended: Amended, form: str, did: str, held: str) -> None:
    publication, record = amended.publication, amended.record
    if form == "json":
        show_json(
            {
                "project": publication.project,
                "environment": publication.environment,
                "op": record.op,
                "publication": record.publication,
                "n": record.n,
                "current": record.current,
                "new": amended.is_new,
            }
        )
        return
    done(f"{did} as record {record.n}" if amended.is_new else held)
    detail(f"readers get {publication} {publication.id}")
