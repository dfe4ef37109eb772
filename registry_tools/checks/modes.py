"""What mesh.yml and the models say about compatibility in, the modes in which a change is judged out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.verdict import MODES, Mode

# What is meant by a mode that nobody understands: a mistyped word must not let everything pass, nor stop its own
# correction.
_UNKNOWN: Final[Mode] = "contract"


@dataclass(frozen=True, kw_only=True, slots=True)
class Modes:
    """The mode of everything (`default`), of the project, of groups by name, of models by label or by name: the nearest
    to a model counts. What a model says of itself (`meta: {mesh: {compatibility: frozen}}`) is as near as its entry
    here; then both count, and a change has to pass in each.
    """

    default: Mode = "consumers"
    project: Mode | None = None
    groups: Mapping[str, Mode] = field(default_factory=dict)
    models: Mapping[str, Mode] = field(default_factory=dict)

    @property
    def of_project(self) -> Mode:
        """The mode of what belongs to no model."""
        return self.project or self.default

    def of(self, models: Iterable[PublicModel]) -> tuple[Mode, ...]:
        """The modes in which a change of these is judged, the laxest first: a model as it was and as it is counts
        twice, so that no change loosens the mode in which it is judged itself.
        """
        found = {mode for model in models for mode in self._near(model)} or {self.of_project}
        return tuple(sorted(found, key=MODES.index))

    def _near(self, model: PublicModel) -> Iterator[Mode]:
        listed = self.models.get(model.label) or self.models.get(model.name)
        own = _read(stated(model.meta))
        if listed or own:
            yield from filter(None, (listed, own))
        else:
            yield self.groups.get(model.group or "") or self.of_project


def stated(meta: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever a person wrote
    """What a model's meta says about its compatibility; None where it says nothing."""
    mesh = meta.get("mesh")
    found = mesh.get("compatibility") if isinstance(mesh, Mapping) else None
    return "off" if found is False else found  # YAML 1.1 reads the bare word as a boolean


def is_mode(said: Any) -> bool:  # noqa: ANN401  # whatever a person wrote
    """Whether it is the name of a mode."""
    return isinstance(said, str) and said in MODES


def _read(said: Any) -> Mode | None:  # noqa: ANN401  # whatever a person wrote
    if said is None:
        return None
    return next((mode for mode in MODES if mode == said), _UNKNOWN)
