"""A project below tests/cases/projects, an engine's name and a dbt in, the manifest that this dbt makes of it out.

`python -m tests.parsed <dbt> <engine> <file>` parses `names` and writes what matters of the manifest to the file; the
README of tests/cases says when. No engine is reached: a profile is enough to parse.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import yaml

from tests.builders import GENERATED_AT, Json

PROJECTS: Final = Path(__file__).parent / "cases" / "projects"
# Neither what differs from run to run, nor what tells of the machine, nor code.
_METADATA: Final = ("dbt_schema_version", "dbt_version", "generated_at", "project_name", "adapter_type", "quoting")
_NODE: Final = (
    *("unique_id", "name", "resource_type", "package_name", "path", "original_file_path", "fqn", "alias"),
    *("database", "schema", "relation_name", "access", "description", "columns", "constraints", "contract", "group"),
    *("tags", "meta", "version", "latest_version", "deprecation_date", "depends_on", "primary_key", "column_name"),
    *("attached_node", "test_metadata", "owner"),
)
_CONFIG: Final = (
    *("access", "alias", "contract", "database", "enabled", "error_if", "group", "materialized", "meta", "quoting"),
    *("schema", "severity", "tags", "where"),
)


def parsed(dbt: Path, engine: str, folder: Path) -> Json:
    """The whole manifest of the project `names`, copied into `folder` and parsed there. Raises CalledProcessError."""
    settings = yaml.safe_load((PROJECTS / "engines.yml").read_text(encoding="utf-8"))[engine]
    shutil.copytree(PROJECTS / "names", folder, dirs_exist_ok=True)
    _edit(folder / "dbt_project.yml", lambda project: project | {"quoting": settings.get("quoting", {})})
    version = _version(dbt)
    if version < (1, 10):
        _edit(folder / "models" / "models.yml", lambda document: _older(document, dated=version >= (1, 6)))
    profile = {"names": {"target": "prod", "outputs": {"prod": settings["profile"]}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    command = [str(dbt), "parse", "--profiles-dir", str(folder), "--vars", json.dumps(settings["vars"])]
    environment = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_ALLOW_EXPERIMENTAL_ADAPTERS": "true"}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
    made: Json = json.loads((folder / "target" / "manifest.json").read_bytes())
    return made


def cut(document: Json) -> Json:
    """What matters of a manifest: its models, tests and groups, with the keys that are named above."""
    nodes = {key: node for key, node in document["nodes"].items() if key.startswith(("model.", "test."))}
    return {
        "metadata": _only(_METADATA, document["metadata"]) | {"generated_at": GENERATED_AT},
        "nodes": {key: _slim(node) for key, node in sorted(nodes.items())},
        "groups": {key: _only(_NODE, group) for key, group in sorted(document["groups"].items())},
    }


def _slim(node: Json) -> Json:
    return _only(_NODE, node) | {
        "config": _only(_CONFIG, node["config"]),
        "depends_on": {"nodes": node["depends_on"]["nodes"]},
    }


def _only(names: Iterable[str], entry: Json) -> Json:
    return {name: entry[name] for name in names if name in entry}


def _version(dbt: Path) -> tuple[int, ...]:
    told = subprocess.run([str(dbt), "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(?:installed:|dbt-core) +(\d+)\.(\d+)", told)
    assert found, told
    return tuple(map(int, found.groups()))


def _edit(path: Path, change: Callable[[Json], Json]) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(change(document), sort_keys=False), encoding="utf-8")


def _older(document: Json, *, dated: bool) -> Json:
    """The models' YAML as dbt had it before 1.10; dbt 1.5, for which nothing is `dated`, knew no deprecation."""
    for model in document["models"]:
        model |= {key: model["config"].pop(key) for key in ("access", "group") if key in model["config"]}
        for column in model.get("columns", ()):
            column.update(column.pop("config", {}))
            if "data_tests" in column:
                column["tests"] = column.pop("data_tests")
        for version in model.get("versions", ()):
            if not dated:
                version.pop("deprecation_date", None)
    return document


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        manifest = cut(parsed(Path(sys.argv[1]), sys.argv[2], Path(scratch) / "names"))
    Path(sys.argv[3]).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
