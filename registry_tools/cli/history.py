"""`mesh history` and `mesh show`: a selector in, what the log tells out."""

from pathlib import Path
from typing import Any

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from, selected
from registry_tools.cli.options import environment_option, flags, format_option, project_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json, sized
from registry_tools.cli.resolved import Asked, show_resolved
from registry_tools.mesh.publication import Record
from registry_tools.mesh.selector import Selector
from registry_tools.tasks.show_history import Line, Shown, show_history, show_publication


@click.command("history", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selector", required=False)
@registry_options
@click.option("--limit", type=click.IntRange(min=1), default=20, help="The newest so many records.  [default: 20]")
@format_option
@at_the_edge
def history(selector: str | None, limit: int, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Show what was published, rolled back and withdrawn, newest first: PROJECT@ENV, or this project's prod."""
    opened = open_from(flags(options), Path())
    chosen = selected(selector, Path())
    lines = show_history(chosen, opened.registry, limit)
    if form == "json":
        show_json({"project": chosen.project, "environment": chosen.environment, "records": _documents(lines)})
        return
    done(f"{chosen.project}@{chosen.environment} in {opened.root}")
    for line in lines:
        detail(_line(line))
        if line.record.reason:
            detail(f"      {line.record.reason}")
    if lines[-1].record.n > 1:
        detail(f"and {counted(lines[-1].record.n - 1, 'record')} before; --limit shows more")


@click.command("show", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selector", required=False)
@registry_options
@environment_option
@project_option
@click.option("--resolved", is_flag=True, help="Show an upstream, or all, as this project reads them.")
@format_option
@at_the_edge
def show(selector: str | None, environment: str, project_dir: Path, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Show one publication whole: who published it, its files and its public models.

    With --resolved, in a consumer's folder, SELECTOR is one of its upstreams: which environment and publication of it
    are read and why, what to write in SQL for each public model, and what is read then.
    """
    where = flags(options)
    if options["resolved"]:
        source = click.get_current_context().get_parameter_source("environment")
        asked = Asked(upstream=selector, folder=project_dir, environment=environment, source=source)
        show_resolved(asked, where, form)
        return
    opened = open_from(where, project_dir)
    chosen = selected(selector, project_dir, environment)
    shown = show_publication(chosen, opened.registry)
    if form == "json":
        show_json(_publication(chosen, shown))
        return
    record = shown.line.record
    publication = record.publication_in(chosen.project, chosen.environment)
    done(f"{publication} {publication.id}, {shown.line.fate}")
    detail(f"{record.op} at {record.time} by {record.actor}")
    detail(f"interface sha256:{record.digest}")
    for name, file in sorted(record.files.items()):
        detail(f"{name}  {sized(file.size)}  sha256:{file.sha256}")
    models = shown.interface.models
    detail(f"{counted(len(models), 'public model')}{':' * bool(models)}")
    for model in models:
        detail(f"  {model.label}  {counted(len(model.columns), 'column')}  {model.relation(shown.interface.adapter)}")


def _line(line: Line) -> str:
    record = line.record
    fate = "" if line.fate == "kept" else f"  {line.fate}"
    return f"#{record.n}  {record.time[:16].replace('T', ' ')}  {record.op}  {record.publication}{fate}  {record.actor}"


def _documents(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [_record(line.record) | {"fate": line.fate} for line in lines]


def _record(record: Record) -> dict[str, Any]:
    return {
        "n": record.n,
        "op": record.op,
        "publication": record.publication,
        "current": record.current,
        "digest": f"sha256:{record.digest}",
        "time": record.time,
        "actor": {field: getattr(record.actor, field) for field in record.actor.__struct_fields__},
        "reason": record.reason,
        "expired": list(record.expired),
    }


def _publication(selector: Selector, shown: Shown) -> dict[str, Any]:
    record = shown.line.record
    return {
        "project": selector.project,
        "environment": selector.environment,
        **_record(record),
        "fate": shown.line.fate,
        "files": {name: {"size": file.size, "sha256": file.sha256} for name, file in sorted(record.files.items())},
        "models": [{"name": model.label, "columns": list(model.columns)} for model in shown.interface.models],
    }
