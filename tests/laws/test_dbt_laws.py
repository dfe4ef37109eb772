"""Laws of what dbt reads: the files of all three ways, parsed by the real dbt, say what the interface says.

One parse takes seconds, so few of them read many models each: DBT_LAW_EXAMPLES=20 DBT_LAW_MODELS=200 draws on.
"""

import json
import os
import warnings
from contextlib import chdir
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from registry_tools.artifacts.loom import CONFIG_FILE, FOLDER, loom_config, loom_manifest, unnamed
from registry_tools.artifacts.package import package_files
from registry_tools.artifacts.sources import sources_files
from registry_tools.artifacts.yaml_text import inert_key
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, Config, Constraint, Contract, Promise, PublicModel
from registry_tools.mesh.relation import Relation, parse_relation, quoting_of
from tests.builders import Json, interface, public_model, publication, team

EXAMPLES = int(os.environ.get("DBT_LAW_EXAMPLES", "2"))
MODELS = int(os.environ.get("DBT_LAW_MODELS", "25"))
QUOTING = quoting_of("snowflake", {})
CONSUMER: dict[str, str | bytes] = {
    "dbt_project.yml": "{name: down, version: '1.0', profile: down}",
    "packages.yml": "packages: [{local: dbt_packages/as_p}]",
    "profiles.yml": (
        "down: {target: a, outputs: {a: {type: snowflake, account: a, user: u, password: p, database: D, schema: S}}}"
    ),
}
PIECES = [
    *("{{", "}}", "{%", "%}", "{#", "#}", "{", "}", "%", "#", "-", "'", '"', "\\", "\n", "\r", "\r\n", "\t", " ", ":"),
    *("- ", ": ", "yes", "null", "~", "1e5", "0x1", "2026-01-01", "<<", "=", "!", "&a", "*a", "|", ">", "---", "..."),
    *(
        "\x00",
        "\x07",
        "\x7f",
        "\x85",
        "\xa0",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "\U0001f680",
        "é",
        "ß",
        "\u0301",
        "\u202e",
        "`",
    ),
    *("raw", "endraw", "a", "B", "[1]", "True", "None", "(", ",", ".", "$", "/", "doc('x')", "env_var('HOME')", "+"),
]
NAMES = ("orders", "yes", "Null", "1e5", "0x1", "été", "_x", "x-y", "a$b", "2026-01-01", "0o7", "on", "e", "X", "1_000")
SCALARS = (None, True, False, 0, 1, -7, 2**63, -(2**63), 1.5, 1e22, -0.0)


class Draw:
    """Everything of an interface, drawn without mercy, from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311  # nothing is kept secret with it

    def text(self, most: int = 7) -> str:
        return "".join(self.chance.choices(PIECES, k=self.chance.randint(1, most)))

    def texts(self, most: int = 3) -> tuple[str, ...]:
        return tuple(sorted({self.text() for _ in range(self.chance.randint(0, most))}))

    def value(self, depth: int = 2) -> Any:
        kind = self.chance.randint(0, 5 if depth else 3)
        match kind:
            case 0 | 1 | 2:
                return self.text()
            case 3:
                return self.chance.choice(SCALARS)
            case 4:
                return [self.value(depth - 1) for _ in range(self.chance.randint(0, 3))]
            case _:
                return self.meta(depth - 1)

    def meta(self, depth: int = 2) -> Json:
        return {self.text(): self.value(depth) for _ in range(self.chance.randint(0, 3))}

    def part(self, end: str = "") -> str:
        if self.chance.random() < 0.5:
            return self.chance.choice(["PROD", "MARTS", "_X", "A$1"]) + end
        return '"' + self.text().replace('"', '""') + f'{end}"'

    def constraint(self, columns: tuple[str, ...]) -> Constraint:
        kind = self.chance.choice(["not_null", "unique", "primary_key", "foreign_key", "check", self.text()])
        return Constraint(type=kind, columns=columns, to=self.text() if kind == "foreign_key" else None)

    def column(self, name: str) -> Column:
        return Column(
            name=name,
            description=self.text() if self.chance.random() < 0.7 else "",
            data_type=self.text() if self.chance.random() < 0.7 else None,
            constraints=tuple(self.constraint(()) for _ in range(self.chance.randint(0, 2))),
            quote=self.chance.choice([None, True, False]),
            tags=self.texts(),
            meta=self.meta(),
        )

    def model(self, number: int, project: str) -> PublicModel:
        columns = {name: self.column(name) for name in self.texts(5)}
        trusted = [name for name in columns if self.chance.random() < 0.3]
        promised = {name: self.chance.choice([("not_null",), ("not_null", "unique")]) for name in trusted}
        version = self.chance.choice([None, None, 1, "a", 1.5])
        fields: Json = {
            # dbt stops at two models of one relation, and so does every upstream's
            "relation_name": f"{self.part()}.{self.part()}.{self.part(f'_{project.upper()}_{number}')}",
            "description": self.text(12),
            "columns": columns,
            "constraints": tuple(self.constraint(tuple(columns)) for _ in range(self.chance.randint(0, 2))),
            "contract": Contract(enforced=self.chance.random() < 0.3),
            "config": Config(materialized="table", access="public", mesh=Promise(tests=promised)),
            "group": self.chance.choice([None, "core"]),
            "tags": self.texts(),
            "meta": self.meta() | {"mesh": {"loaded_at_field": self.text()}},
            "version": version,
            "latest_version": version,
            "deprecation_date": self.chance.choice([None, "2027-01-01T00:00:00+00:00"]),
        }
        return public_model(f"{self.chance.choice(NAMES)}{number}", project, **fields)


def drawn(seed: int, project: str, most: int = MODELS) -> Interface:
    """An interface as it is read of a registry."""
    draw = Draw(seed)
    models = [draw.model(number, project) for number in range(most)]
    return interface(*models, project=project, groups=(team(description=draw.text()),)).checked()


def parsed(folder: Path, files: dict[str, str | bytes]) -> Any:
    """dbt's own manifest of a consumer with these files."""
    from dbt.cli.main import dbtRunner

    for name, content in (CONSUMER | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    options = ["--no-partial-parse", "--no-write-json", "--quiet", "--log-level-file", "none"]
    with warnings.catch_warnings(), chdir(folder):
        warnings.simplefilter("ignore")  # dbt's own
        done = dbtRunner().invoke(["parse", *options, "--no-send-anonymous-usage-stats"])
    assert done.success, done.exception
    return done.result


def written(node: Any) -> list[str | None]:
    """The names of the table that a reference to the node reads, as Snowflake stores them."""
    from dbt.adapters.snowflake.relation import SnowflakeRelation

    relation = parse_relation(str(SnowflakeRelation.create_from(SimpleNamespace(quoting={}), node)), "snowflake")
    return names_of(relation)


def names_of(relation: Relation) -> list[str | None]:
    return [part.name if part else None for part in (relation.database, relation.schema, relation.identifier)]


def disguised(value: Any) -> Any:
    """Values with keys as `inert_key` has them: dbt reads keys as they stand."""
    match value:
        case dict():
            return {inert_key(key): disguised(item) for key, item in value.items()}
        case list():
            return [disguised(item) for item in value]
        case _:
            return value


def foreign(meta: Json) -> Json:
    """The owner's own meta."""
    return {key: value for key, value in meta.items() if key not in {"mesh", "mesh_relation"}}


def told(node: Any) -> Json:
    """What dbt has read of a source or a stub."""
    return {
        "relation_name": node.relation_name,
        "description": node.description,
        "tags": sorted(node.tags),
        "meta": repr(foreign(node.meta)),
        "mark": (node.meta["mesh"]["project"], node.meta["mesh"]["model"]),
        "columns": {
            name: (c.description, c.data_type, bool(c.quote), sorted(c.tags), repr(foreign(c.meta)))
            for name, c in node.columns.items()
        },
    }


def meant(found: Interface, model: PublicModel) -> Json:
    """The same of the interface."""
    notice = found.deprecation_notice(model)
    return {
        "relation_name": model.relation_name,
        "description": "\n\n".join(text for text in (notice, model.description) if text),
        "tags": sorted(model.tags),
        "meta": repr(foreign(disguised(model.meta))),
        "mark": (found.project, model.name),
        "columns": {
            name: (c.description, c.data_type, bool(c.quote), sorted(c.tags), repr(disguised(c.meta)))
            for name, c in model.columns.items()
        },
    }


def guarded(manifest: Any, project: str) -> set[tuple[str, str, str]]:
    """Which columns of the project's models are tested for what."""
    tests = [node for unique_id, node in manifest.nodes.items() if unique_id.startswith("test.")]
    found = {(t.depends_on.nodes[0], t.column_name, t.test_metadata.name) for t in tests}
    return {test for test in found if f".{project}." in test[0]}


def promised(model: PublicModel, unique_id: str) -> set[tuple[str, str, str]]:
    quoted = {name: f'"{name}"' if column.quote else name for name, column in model.columns.items()}
    return {(unique_id, quoted[name], test) for name, tests in model.config.mesh.tests.items() for test in tests}


@settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32))
def test_dbt_reads_what_the_interface_says(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    sources, stubs, loom = (drawn(seed + way, project) for way, project in enumerate(("as_s", "as_p", "as_l")))
    loomed = loom_manifest(loom, QUOTING)
    files: dict[str, str | bytes] = {
        f"models/{name}": text for name, text in sources_files(sources, publication("as_s"), tests=True).items()
    }
    files |= {f"dbt_packages/as_p/{name}": text for name, text in package_files(stubs, QUOTING, tests=True).items()}
    files |= {f"{FOLDER}/as_l.json": loomed, CONFIG_FILE: loom_config(["as_l"])}
    manifest = parsed(tmp_path_factory.mktemp("consumer"), files)
    read_as_sources(manifest, sources)
    read_as_package(manifest, stubs)
    named = json.loads(loomed)["nodes"]
    assert len(named) == MODELS - len([*unnamed(loom, QUOTING)]) > MODELS / 4
    read_as_loom(manifest, loom.kept(lambda model: model.unique_id in named))


def read_as_sources(manifest: Any, found: Interface) -> None:
    expected = {f"source.down.as_s.{name}": model for model in found.models for name in model.called}
    assert manifest.sources.keys() == expected.keys()
    for unique_id, model in expected.items():
        source = manifest.sources[unique_id]
        assert told(source) == meant(found, model)
        assert source.loaded_at_field == model.meta["mesh"]["loaded_at_field"]
    assert guarded(manifest, "as_s") == {t for uid, model in expected.items() for t in promised(model, uid)}


def read_as_package(manifest: Any, found: Interface) -> None:
    for model in found.models:
        stub = manifest.nodes[model.unique_id]
        assert told(stub) == meant(found, model)
        assert written(stub) == names_of(model.relation("snowflake"))
        assert (stub.access, stub.group, stub.version) == ("public", model.group, model.version)
        assert bool(stub.deprecation_date) is bool(model.deprecation_date)
        assert [list(c.columns) for c in stub.constraints if c.type == "primary_key"] == (
            [list(model.declared_key)] if model.declared_key else []
        )
    assert guarded(manifest, "as_p") == {t for model in found.models for t in promised(model, model.unique_id)}


def read_as_loom(manifest: Any, found: Interface) -> None:
    for model in found.models:
        node = manifest.nodes[model.unique_id]
        assert node.relation_name == model.relation_name
        assert written(node) == names_of(model.relation("snowflake"))
        assert (node.access, str(node.version)) == ("public", str(model.version))
        assert str(node.latest_version) == str(model.latest_version)
        assert bool(node.deprecation_date) is bool(model.deprecation_date)
