"""`mesh publish`: options in, one publication and what to know about it out."""

import os
from pathlib import Path
from typing import Any

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import flags, format_option, project_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json, some
from registry_tools.intake.project import read_project
from registry_tools.mesh import names
from registry_tools.tasks.publish_manifest import Published, PublishRequest, publish_manifest


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
@format_option
@at_the_edge
def command(environment: str, project_dir: Path, form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Publish what this project built: its interface if it has public models, its usage, its state."""
    where = flags(options)
    names.environment_name(environment, where="--env")
    project = read_project(project_dir, os.environ)
    opened = open_from(where, project_dir)
    request = PublishRequest(
        project=project,
        environment=environment,
        allow_failed=options["allow_failed"],
        allow_empty=options["allow_empty"],
        with_state=not options["no_state"],
        usage_only=options["usage_only"],
        not_secrets=frozenset(options["not_a_secret"]),
    )
    published = publish_manifest(request, opened.registry)
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
    }
