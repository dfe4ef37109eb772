"""What dbt knows of a package of stubs in, what is left to do before it reads them out."""

from collections.abc import Collection, Iterator, Mapping

from registry_tools.mesh.upstream import STUBS_FOLDER, stub_materialization


def left_to_do(
    upstream: str, *, listed: bool, installed: bool, listing: str, materialized: Mapping[str, str]
) -> Iterator[str]:
    """A line for each step. `listing` is the file that should list the package; `materialized` are the
    materializations that dbt_project.yml gives, to all models under "" (intake.project).

    What dbt_project.yml says to all models holds for those of packages too, and beats what a package says of itself
    (dbt-core, ContextConfigGenerator); so a stub would be built over the table that it stands for.
    """
    if not listed:
        yield f"add  - local: {STUBS_FOLDER}/{upstream}  to {listing}, or run mesh sync --write-packages; then dbt deps"
    elif not installed:
        yield "run dbt deps"
    stub = stub_materialization(upstream)
    given = materialized.get(upstream, materialized.get("", stub))
    if given != stub:
        yield (
            f"dbt_project.yml would have the stubs of {upstream} built as {given}: "
            f"add  {upstream}: {{+materialized: {stub}}}  below its models:"
        )


def surplus(listed: Collection[str], upstreams: Collection[str], listing: str) -> Iterator[str]:
    """A line for each package of ours that is listed and that nobody asks for any more."""
    wanted = {f"{STUBS_FOLDER}/{name}" for name in upstreams}
    for path in sorted(listed):
        if path.startswith(f"{STUBS_FOLDER}/") and path not in wanted:
            yield f"{listing} lists {path}, which nobody asks for: take it out and run dbt deps"
