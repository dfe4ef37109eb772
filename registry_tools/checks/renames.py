"""The models that went and those that came in, the pairs out that are one model under another name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from registry_tools.mesh.public_model import PublicModel

# Two columns, such as `id` and `name`, are alike in models that have nothing else in common.
_TELLING: Final = 3

_Likeness: TypeAlias = Callable[[PublicModel, str], tuple[object, ...] | None]


def renamed(
    gone: Iterable[PublicModel], come: Iterable[PublicModel], adapters: tuple[str, str]
) -> Mapping[str, PublicModel]:
    """The labels of the models that went and stand there under another name, each with the model that it is now.

    The version is the same, and so are the columns with their types and their order; and either the relation is the
    very same, or three columns or more are in the same schema. Where two models would do, neither is called the same.
    `adapters` are the one before and the one now: what a name comes to is up to its own warehouse.
    """
    left, right = {model.label: model for model in gone}, {model.label: model for model in come}
    found: dict[str, PublicModel] = {}
    likenesses: tuple[_Likeness, ...] = (_as_a_table, _as_a_neighbour)
    for likeness in likenesses:
        sides = zip((left, right), adapters, strict=True)
        olds, news = (_alone(models.values(), likeness, adapter) for models, adapter in sides)
        for like in olds.keys() & news.keys():
            found[olds[like].label] = news[like]
            del left[olds[like].label], right[news[like].label]
    return found


def stored_names(model: PublicModel, adapter: str) -> tuple[str | None, ...] | None:
    """The relation's names as the warehouse stores them, or None where the relation is none."""
    try:
        relation = model.relation(adapter)
    except ValueError:
        return None
    return tuple(part.name if part else None for part in (relation.database, relation.schema, relation.identifier))


def _alone(models: Iterable[PublicModel], likeness: _Likeness, adapter: str) -> dict[tuple[object, ...], PublicModel]:
    """Those of which there is one alone that is like this."""
    found: dict[tuple[object, ...], list[PublicModel]] = {}
    for model in models:
        if like := likeness(model, adapter):
            found.setdefault(like, []).append(model)
    return {like: alike[0] for like, alike in found.items() if len(alike) == 1}


def _as_a_table(model: PublicModel, adapter: str) -> tuple[object, ...] | None:
    names = stored_names(model, adapter)
    return names and (names, *_shape(model))


def _as_a_neighbour(model: PublicModel, adapter: str) -> tuple[object, ...] | None:
    names = stored_names(model, adapter)
    return (names[:2], *_shape(model)) if names and len(model.columns) >= _TELLING else None


def _shape(model: PublicModel) -> tuple[object, ...]:
    return str(model.version), tuple((name, column.data_type) for name, column in model.columns.items())
