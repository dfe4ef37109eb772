"""An upstream as a consumer sees it in, each public model as the consumer writes it and where it is read out."""

from collections.abc import Iterator
from dataclasses import dataclass

from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.relation import Relation
from registry_tools.mesh.relation_map import rule_for
from registry_tools.mesh.upstream import SyncedUpstream


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedModel:
    """One public model: `written` is what reads it in a consumer's SQL, `published` where upstream has it, `here` what
    this consumer's account calls that, and `rules` by which rules of mesh.yml.
    """

    model: PublicModel
    written: tuple[str, ...]
    published: Relation
    here: Relation
    rules: tuple[str, ...]


def resolved_models(synced: SyncedUpstream) -> Iterator[ResolvedModel]:
    """Every model that the consumer can read, in the order of the interface."""
    adapter, upstream = synced.interface.adapter, synced.upstream
    published = {model.unique_id: model.relation(adapter) for model in synced.published.models}
    for model in synced.interface.models:
        there = published[model.unique_id]
        applied = (
            (kind, rules, rule_for(part.name, rules))
            for kind, rules, part in (
                ("databases", upstream.databases, there.database),
                ("schemas", upstream.schemas, there.schema),
            )
            if part
        )
        yield ResolvedModel(
            model=model,
            written=written(model, upstream.way),
            published=there,
            here=model.relation(adapter),
            rules=tuple(f"{kind}: {rule}: {rules[rule]}" for kind, rules, rule in applied if rule),
        )


def written(model: PublicModel, way: str) -> tuple[str, ...]:
    """What to write between `{{` and `}}`: the model by its version, and the latest one also without."""
    project = model.package_name
    if way == "sources":
        return tuple(f"source('{project}', '{name}')" for name in model.called)
    plain = f"ref('{project}', '{model.name}'"
    if model.version is None:
        return (f"{plain})",)
    return (f"{plain}, v={model.version!r})", *([f"{plain})"] if model.is_latest else []))
