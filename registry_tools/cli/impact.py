"""`mesh impact`: a model or a column in, who reads it out, with file and line."""

from pathlib import Path
from typing import Any

import click

from registry_tools.artifacts.verdict_document import impact_entries
from registry_tools.artifacts.verdict_words import consumer_words, node_words, owner_words, reason_words
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import environment_option, flags, format_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json
from registry_tools.mesh import names
from registry_tools.tasks.trace_impact import Traced, trace_impact


@click.command("impact", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", metavar="PROJECT[.MODEL[.COLUMN]]")
@registry_options
@environment_option
@format_option
@at_the_edge
def command(words: str, environment: str, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Show who reads a project's public model or a column of it, and what is built from that in turn.

    BROKEN is who names it and would stop working without it, AFFECTED who takes it along with `*` or reads what others
    make of it, UNKNOWN whose SQL could not be read.
    """
    opened = open_from(flags(options), Path())
    names.project_name(words.partition(".")[0], where=words)
    names.environment_name(environment, where="--env")
    traced = trace_impact(words, environment, opened.mesh.owners, opened.registry)
    if form == "json":
        show_json(_document(traced))
    else:
        _show(traced)


def _show(traced: Traced) -> None:
    types = {model.columns[traced.asked.column].data_type for model in traced.models if traced.asked.column}
    kind = "".join(f"  {each}" for each in sorted(filter(None, types)))
    nodes = sum(len({reason.node for reason in impact.reasons}) for impact in traced.impacts)
    read = (
        f"is read by {counted(nodes, 'node')} of {counted(len(traced.impacts), 'project')}"
        if nodes
        else "nobody reads it"
    )
    done(f"{traced.asked}{kind}  {read}, as {traced.publication} has it")
    for impact in traced.impacts:
        owner = owner_words(impact.owner)
        detail(f"{consumer_words(impact)}  {owner}" if owner else consumer_words(impact))
        for reason in impact.reasons:
            place = f"  {reason.place}" if reason.place else ""
            detail(f"  {reason.effect:<8}  {node_words(reason)}{place}  {reason_words(reason)}")


def _document(traced: Traced) -> dict[str, Any]:
    publication = traced.publication
    return {
        "project": publication.project,
        "environment": publication.environment,
        "publication": publication.id,
        "n": publication.n,
        "model": traced.asked.model,
        "column": traced.asked.column,
        "impacts": impact_entries(traced.impacts),
    }
