"""A project's folder in, what dbt_project.yml says of it out: its name, where its models and its artifacts are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_yaml
from registry_tools.mesh import names

FILE: Final = "dbt_project.yml"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFolder:
    """A dbt project on disk."""

    path: Path
    name: str
    models: Path
    target: Path
    quoting: Mapping[str, bool] = field(default_factory=dict)
    installed: Path = Path("dbt_packages")
    # materializations that dbt_project.yml gives: to all models under "", else to those of a project or package
    materialized: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        """Where dbt writes the manifest."""
        return self.target / "manifest.json"

    @property
    def run_results(self) -> Path:
        """Where dbt writes the outcome of its last run."""
        return self.target / "run_results.json"


def read_project(folder: Path, environment: Mapping[str, str]) -> ProjectFolder:
    """The dbt project in `folder`. Raises DocumentError when there is none, or its name is no name."""
    file = folder / FILE
    document = read_yaml(
        file, noun="a dbt project", then="run this in the project's folder, or name it with --project-dir", unique=False
    )
    name = document.get("name")
    if not isinstance(name, str):
        raise DocumentError(f"'name' is {name!r}, not a project's name", where=str(file), then="name the project")
    model_paths = document.get("model-paths", ["models"])
    target = environment.get("DBT_TARGET_PATH") or _rendered(document.get("target-path")) or "target"
    return ProjectFolder(
        path=folder,
        name=names.project_name(name, where=str(file)),
        models=folder / _first(model_paths, file),
        target=folder / target,
        quoting=_flags(document.get("quoting")),
        installed=folder / (_rendered(document.get("packages-install-path")) or "dbt_packages"),
        materialized=dict(_materialized(document.get("models"))),
    )


def _first(model_paths: Any, file: Path) -> str:  # noqa: ANN401  # what a person wrote
    match model_paths:
        case [str(path), *_] if not Path(path).is_absolute() and ".." not in Path(path).parts:
            return path
        case _:
            raise DocumentError(
                f"'model-paths' is {model_paths!r}", where=str(file), then="write model-paths: [models]"
            )


def _flags(quoting: Any) -> dict[str, bool]:  # noqa: ANN401  # what a person wrote
    # what is no flag is dbt's to complain of
    return {k: v for k, v in quoting.items() if isinstance(v, bool)} if isinstance(quoting, dict) else {}


def _materialized(models: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # what a person wrote
    entries = models if isinstance(models, dict) else {}
    for name, below in (("", entries), *entries.items()):
        given = below.get("+materialized", below.get("materialized")) if isinstance(below, dict) else None
        if isinstance(given, str):
            yield str(name), given


def _rendered(target: Any) -> str | None:  # noqa: ANN401  # what a person wrote
    # A target-path with Jinja in it is dbt's to render; DBT_TARGET_PATH or --target-path says it to us.
    return target if isinstance(target, str) and "{" not in target else None
