"""`mesh publish`: options in, one publication and what to know about it out."""

import os
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from, readings_of
from registry_tools.cli.options import compatibility_options, flags, format_option, project_option, registry_options
from registry_tools.cli.output import counted, detail, done, progress, show_json, some, warn
from registry_tools.cli.terms import terms_of
from registry_tools.intake.project import read_project
from registry_tools.intake.sql.reading import NOT_COMPILED
from registry_tools.mesh import names
from registry_tools.mesh.printable import printable
from registry_tools.settings import environments_to_read
from registry_tools.tasks.publish_manifest import Published, PublishRequest, publish_manifest

_SHOWN: Final = 10


@click.command("publish", context_settings={"help_option_names": ["-h", "--help"]})
@registry_options
@click.option(
    "--env", "environment", envvar="DBT_MESH_ENV", required=True, help="The environment that was built: prod, ..."
)
@project_option
@click.option("--allow-failed", is_flag=True, help="Publish although the last run failed.")
@click.option("--allow-empty", is_flag=True, help="Publish although every public model is gone.")
@click.option(
    "--not-a-secret", multiple=True, metavar="RULE:PLACE", help="Publish although exactly this looks like a secret."
)
@click.option("--no-state", is_flag=True, help="Keep the whole manifest at home; nobody can defer to it then.")
@click.option("--usage-only", is_flag=True, help="Say what this project reads, and leave its interface as it stands.")
@compatibility_options
@format_option
@at_the_edge
def command(environment: str, project_dir: Path, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Publish what this project built: its interface if it has public models, its usage, its state."""
    where = flags(options)
    names.environment_name(environment, where="--env")
    project = read_project(project_dir, os.environ)
    opened = open_from(where, project_dir)
    described = opened.mesh.projects.get(project.name)
    request = PublishRequest(
        project=project,
        environment=environment,
        allow_failed=options["allow_failed"],
        allow_empty=options["allow_empty"],
        with_state=not options["no_state"],
        usage_only=options["usage_only"],
        not_secrets=frozenset(options["not_a_secret"]),
        terms=terms_of(opened.mesh, options, project.name),
        upstreams=tuple(upstream.name for upstream in described.upstreams) if described else (),
        reads=environments_to_read(opened.mesh, environment),
        owner=described.owner if described else {},
        veiled=described is not None and described.readers == "veiled",
        readings=readings_of(project.name),
    )
    with progress("reading SQL") as told:
        published = publish_manifest(request, opened.registry, told)
    if form == "json":
        show_json(_document(published))
    else:
        _show(published, opened.root, usage_only=request.usage_only)


def _show(published: Published, root: str, *, usage_only: bool) -> None:
    publication = published.publication
    verb = "published" if published.is_new else "already published"
    done(f"{verb} {publication} {publication.id} in {root}")
    if published.current.id != publication.id:
        detail(f"readers get {published.current} {published.current.id}; mesh history says why")
    models = [model.label for model in published.interface.models]
    if usage_only:
        detail("the interface stands as it was published")
    else:
        detail(f"{counted(len(models), 'public model')}: {some(models)}" if models else "no public models")
    if reads := published.usage.reads:
        detail(f"reads {some(sorted({f'{r.upstream}.{r.model}' for r in reads}))}")
    unread = {read.node: read.unread for read in reads if read.unread}
    if unread:
        nodes = [f"{printable(node.split('.', 2)[-1])} ({why})" for node, why in sorted(unread.items())]
        more = [f"and {len(nodes) - _SHOWN} more"] if len(nodes) > _SHOWN else []
        compiled = ["next: dbt compile, then publish again"] if NOT_COMPILED in unread.values() else []
        beneath = [*nodes[:_SHOWN], *more, *compiled]
        warn(f"what {counted(len(unread), 'node')} read is not known, and counts as every column", beneath)
    for verdict in filter(None, (published.verdict, published.moved)):
        for notice in verdict.notices:
            warn(notice)
    for finding in published.findings:
        warn(f"{finding.what}; {finding.then}")
    if published.moved and published.moved.answer != "yes":
        from registry_tools.artifacts.verdict_text import plain_text, verdict_text

        lines = plain_text(verdict_text(published.moved)).splitlines()
        warn("a consumer published meanwhile, and is hurt by what this publishes", lines)


def _document(published: Published) -> dict[str, Any]:
    publication = published.publication
    return {
        "project": publication.project,
        "environment": publication.environment,
        "publication": publication.id,
        "n": publication.n,
        "digest": f"sha256:{publication.digest}",
        "new": published.is_new,
        "current": published.current.id,
        "public_models": [model.label for model in published.interface.models],
        "reads": sorted({f"{read.upstream}.{read.model}" for read in published.usage.reads}),
        "unread": {read.node: read.unread for read in published.usage.reads if read.unread},
        "answer": published.verdict.answer if published.verdict else None,
        "findings": [{"check": f.check, "message": f.what, "next": f.then} for f in published.findings],
    }
