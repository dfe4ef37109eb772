"""How old a public model may be: `meta.mesh` of the model in, the freshness that a source of it carries out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PERIODS = ("minute", "hour", "day")


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """`loaded_at_field` and the ages after which dbt warns or fails, in dbt's own form."""

    loaded_at_field: str | None
    thresholds: Mapping[str, Mapping[str, Any]]


def freshness_of(meta: Mapping[str, Any]) -> Freshness | None:
    """What `meta: {mesh: {loaded_at_field: ..., freshness: {warn_after: {count: 24, period: hour}}}}` promises.

    Raises ValueError naming the key that is not as dbt has it
    (https://docs.getdbt.com/reference/resource-properties/freshness).
    """
    mesh = meta.get("mesh")
    if not isinstance(mesh, Mapping) or not ({"freshness", "loaded_at_field"} & mesh.keys()):
        return None
    field = mesh.get("loaded_at_field")
    if field is not None and not isinstance(field, str):
        raise ValueError("meta.mesh.loaded_at_field is not a column or an expression")
    stated = mesh.get("freshness") or {}
    if not isinstance(stated, Mapping) or not stated.keys() <= {"warn_after", "error_after"}:
        raise ValueError("meta.mesh.freshness takes warn_after and error_after")
    return Freshness(loaded_at_field=field, thresholds={key: _threshold(key, stated[key]) for key in sorted(stated)})


def _threshold(key: str, stated: Any) -> Mapping[str, Any]:  # noqa: ANN401  # what a person may have written
    match stated:
        case {"count": int(count), "period": str(period), **rest} if (
            not rest and count is not True and count > 0 and period in PERIODS
        ):
            return {"count": count, "period": period}
        case _:
            raise ValueError(f"meta.mesh.freshness.{key} is not {{count: 24, period: hour}}, period one of {PERIODS}")
