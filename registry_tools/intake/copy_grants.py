"""A manifest in, how dbt builds each public model on Snowflake out, as far as grants on it are concerned."""

from registry_tools.intake.manifest import Manifest
from registry_tools.mesh.keeping import Keeping
from registry_tools.mesh.public_model import Value

_ADAPTER = "snowflake"


class _Config(Value, frozen=True):
    materialized: str | None = None
    copy_grants: object = None


class _Model(Value, frozen=True):
    name: str
    version: str | int | float | None = None
    language: str | None = None
    config: _Config = _Config()


def read_keeping(manifest: Manifest) -> tuple[Keeping, ...]:
    """Every own public model, in the order of their unique_ids; none of another warehouse than Snowflake."""
    if manifest.adapter != _ADAPTER:
        return ()
    return tuple(
        Keeping(
            label=model.name if model.version is None else f"{model.name}.v{model.version}",
            materialized=model.config.materialized or "view",
            copies=model.config.copy_grants is True,
            language=model.language or "sql",
        )
        for _, model in sorted(manifest.own_public(_Model))
    )
