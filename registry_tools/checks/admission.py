"""What two versions of a model say of its consumers in, the change between them out: more may read it, or fewer."""

from collections.abc import Iterator, Mapping
from typing import Any

from registry_tools.checks.place import Place, differ
from registry_tools.mesh.change import Change


def consumers(place: Place, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The change of `meta.mesh.consumers` (mesh.audience), if there is one: SAFE where nobody is shut out."""
    was, now = _stated(before), _stated(after)
    if not differ(was, now):
        return
    rule = "consumers-widened" if _covers(now, was) else "consumers-narrowed"
    yield place.change(rule, _told(was), _told(now), exact=(was, now))


def without_consumers(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The meta without what `consumers` judges."""
    if _stated(meta) is None:
        return meta
    rest = {key: value for key, value in meta["mesh"].items() if key != "consumers"}
    others = {key: value for key, value in meta.items() if key != "mesh"}
    return others | ({"mesh": rest} if rest else {})


def _stated(meta: Mapping[str, Any]) -> list[Any] | None:
    """The list as it stands; None where there is none, and everybody may read."""
    mesh = meta.get("mesh")
    stated = mesh.get("consumers") if isinstance(mesh, Mapping) else None
    return list(stated) if isinstance(stated, list | tuple) else None


def _covers(now: list[Any] | None, was: list[Any] | None) -> bool:
    if now is None:
        return True
    return was is not None and all(entry in now or str(entry).partition(".")[0] in now for entry in was)


def _told(stated: list[Any] | None) -> list[Any] | str:
    return "everybody" if stated is None else stated or "nobody"
