"""`mesh gc` and `mesh fsck`: a registry in, what nobody needs any more or what is not as it must be out."""

from pathlib import Path
from typing import Any

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import flags, format_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json, sized
from registry_tools.mesh.printable import printable
from registry_tools.mesh.selector import parse_selector
from registry_tools.registry.collection import Retention
from registry_tools.tasks.collect_waste import Collected, collect_waste
from registry_tools.tasks.inspect_registry import Inspected, inspect_registry

_KEEP = Retention()


@click.command("gc", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selectors", nargs=-1, metavar="[PROJECT@ENV]...")
@registry_options
@click.option("--delete", is_flag=True, help="Do it; without this nothing is changed.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=_KEEP.publications,
    help=f"The newest so many publications stay.  [default: {_KEEP.publications}]",
)
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    default=_KEEP.days,
    help=f"Publications of so many days stay.  [default: {_KEEP.days}]",
)
@format_option
@at_the_edge
def gc(selectors: tuple[str, ...], form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Show what nobody needs any more: files that no record names, and publications beyond what is kept.

    A publication is given up in the log first, and its files go seven days later. The log itself never goes.
    """
    opened = open_from(flags(options), Path())
    retention = Retention(publications=options["keep"], days=options["keep_days"])
    chosen = [parse_selector(each) for each in selectors]
    collected = list(collect_waste(opened.registry, chosen, retention, dry_run=not options["delete"]))
    if form == "json":
        show_json({"collections": [_collection(each) for each in collected]})
        return
    for each in collected:
        _show_collection(each)
    if not collected:
        done("the registry is empty")
    if not options["delete"] and any(each.plan.give_up or each.plan.delete for each in collected):
        detail("nothing was changed; mesh gc --delete does it")


def _show_collection(collected: Collected) -> None:
    plan = collected.plan
    dry = collected.deleted is None
    done(f"{plan.project}@{plan.environment}: {counted(plan.kept, 'publication')} kept")
    for publication in plan.give_up if dry else ():
        detail(f"would give up {publication}")
    for waste in plan.delete if dry else ():
        detail(f"would delete {waste.facts.key}  {sized(waste.facts.size)}  {waste.why}")
    if collected.record is not None:
        gone = counted(len(collected.record.expired), "publication")
        detail(f"gave up {gone} as record {collected.record.n}; the files go in seven days")
    if collected.deleted:
        detail(f"deleted {counted(collected.deleted, 'file')}, {sized(plan.size)}")


def _collection(collected: Collected) -> dict[str, Any]:
    plan = collected.plan
    return {
        "project": plan.project,
        "environment": plan.environment,
        "kept": plan.kept,
        "give_up": list(plan.give_up),
        "delete": [{"key": w.facts.key, "size": w.facts.size, "why": w.why} for w in plan.delete],
        "record": collected.record.n if collected.record else None,
        "deleted": collected.deleted,
    }


@click.command("fsck", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selectors", nargs=-1, metavar="[PROJECT@ENV]...")
@registry_options
@click.option("--repair", is_flag=True, help="Put right what has a copy.")
@format_option
@at_the_edge
def fsck(selectors: tuple[str, ...], form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Hold every record against its successor, every file against its digest, and the views against the log.

    Exits 1 when something is left that is not as it must be.
    """
    opened = open_from(flags(options), Path())
    chosen = [parse_selector(each) for each in selectors]
    found: list[Inspected] = []
    for each in inspect_registry(opened.registry, chosen, mend=options["repair"]):
        found.append(each)
        if form == "text":
            _show_fault(each)
    left = [each for each in found if not each.mended]
    if form == "json":
        show_json({"faults": [_fault(each) for each in found], "left": len(left)})
    elif not found and not chosen and not opened.registry.projects():
        done(f"{opened.root}: the registry is empty")
    elif not found:
        done(f"{opened.root}: every record, file and view is as it must be")
    else:
        click.echo(f"{counted(len(found), 'fault')}, {len(found) - len(left)} put right, {len(left)} left")
    return 1 if left else 0


def _show_fault(inspected: Inspected) -> None:
    fault = inspected.fault
    rule = click.style(fault.rule, fg="green" if inspected.mended else "red", bold=True)
    click.echo(f"{rule}  {printable(fault.key)}")
    detail(fault.what)
    detail("put right" if inspected.mended else f"next: {fault.then}")


def _fault(inspected: Inspected) -> dict[str, Any]:
    fault = inspected.fault
    return {
        "rule": fault.rule,
        "project": inspected.project,
        "environment": inspected.environment,
        "key": fault.key,
        "message": fault.what,
        "repairable": fault.repair is not None,
        "repaired": inspected.mended,
    }
