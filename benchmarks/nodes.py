"""A place in a project in, the entry that dbt 1.12 writes for it out: models, tests, sources, macros and their kin."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from benchmarks.texts import compiled_code, macro_sql, raw_code, sentence, test_code, word

Json = dict[str, Any]

GROUPS: Final = 8
STATUS: Final = "status_01"
_COLUMNS: Final = 16
_CREATED_AT: Final = 1769150741.25
_PREFIXES: Final = {"staging": "stg", "intermediate": "int", "marts": "mart"}
_TYPES: Final = ("number(38,0)", "varchar(256)", "timestamp_ntz(9)", "number(18,2)", "boolean", "date", "varchar(16)")
_DOCS: Final = {"show": True, "node_color": None}
_CONFIG: Final[Json] = {
    "enabled": True,
    "alias": None,
    "schema": None,
    "database": None,
    "tags": [],
    "meta": {},
    "group": None,
    "static_analysis": None,
    "materialized": "view",
    "incremental_strategy": None,
    "batch_size": None,
    "lookback": 1,
    "begin": None,
    "persist_docs": {},
    "post-hook": [],
    "pre-hook": [],
    "quoting": {},
    "column_types": {},
    "full_refresh": None,
    "unique_key": None,
    "on_schema_change": "ignore",
    "on_configuration_change": "apply",
    "grants": {},
    "packages": [],
    "docs": _DOCS,
    "contract": {"enforced": False, "alias_types": True},
    "event_time": None,
    "concurrent_batches": None,
    "access": "protected",
    "freshness": None,
    "on_error": None,
}
_TEST_CONFIG: Final[Json] = {
    **{key: _CONFIG[key] for key in ("enabled", "alias", "database", "tags", "meta", "group", "static_analysis")},
    "schema": "dbt_test__audit",
    "materialized": "test",
    "severity": "ERROR",
    **dict.fromkeys(("store_failures", "store_failures_as", "sql_header", "where", "limit")),
    "fail_calc": "count(*)",
    "warn_if": "!= 0",
    "error_if": "!= 0",
}
_PERIODS: Final[Json] = {
    "warn_after": {"count": None, "period": None},
    "error_after": {"count": None, "period": None},
    "filter": None,
}


class Place(NamedTuple):
    """One model's place in its project."""

    project: str
    layer: str
    number: int
    public: bool = False
    version: int | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return f"{_PREFIXES[self.layer]}_{word(self.number)}_{self.number:05d}"

    @property
    def alias(self) -> str:
        """Its table's name."""
        return self.name if self.version is None else f"{self.name}_v{self.version}"

    @property
    def unique_id(self) -> str:
        """As dbt has it."""
        return f"model.{self.project}.{self.name}" + ("" if self.version is None else f".v{self.version}")

    @property
    def key(self) -> str:
        """Its first column."""
        return f"{word(self.number)}_id"


def model(place: Place, parents: list[str]) -> Json:
    """A model; a public one has a contract, a group and constraints."""
    columns = described(place)
    access = "public" if place.public else "protected"
    contract = {"enforced": place.public, "alias_types": True}
    group = f"group_{place.number % GROUPS}" if place.public else None
    meta = {"tier": 1, "domain": word(place.number)} if place.public else {}
    own = {"materialized": "table", "tags": [place.layer], "group": group, "meta": meta, "contract": contract}
    config = _CONFIG | own | {"access": access, "schema": place.layer}
    file = f"{place.layer}/{place.alias}.sql"
    return _common(place.project, place.unique_id, place.name, file) | {
        "resource_type": "model",
        "schema": place.layer.upper(),
        "alias": place.alias,
        "checksum": {"name": "sha256", "checksum": _hash(place.unique_id)},
        "config": config,
        "tags": [place.layer],
        "description": f"{sentence(place.number)}. {sentence(place.number * 7)}.",
        "columns": columns,
        "meta": meta,
        "group": group,
        "patch_path": f"{place.project}://models/{place.layer}/{place.name}.yml",
        "unrendered_config": own,
        "relation_name": f"PROD.{place.layer.upper()}.{place.alias}",
        "raw_code": raw_code(list(columns), parents),
        "refs": [{"name": at.split(".")[2], "package": None, "version": None} for at in parents if at[0] == "m"],
        "sources": [at.split(".")[2:] for at in parents if at[0] == "s"],
        "depends_on": {"macros": [], "nodes": parents},
        "compiled_path": f"target/compiled/{place.project}/models/{file}",
        "compiled": True,
        "compiled_code": compiled_code(list(columns), parents),
        "extra_ctes_injected": True,
        "extra_ctes": [],
        "contract": contract | {"checksum": _hash(place.alias) if place.public else None},
        "access": access,
        "constraints": [_constraint("primary_key") | {"columns": [place.key]}] if place.public else [],
        "version": place.version,
        "latest_version": None if place.version is None else 2,
        "deprecation_date": "2027-01-31T00:00:00+00:00" if place.version == 1 else None,
        "primary_key": [place.key],
        "time_spine": None,
    }


def described(place: Place) -> Json:
    """The columns of a model, as dbt has them below it."""
    return {name: _column(place, name, kind) for name, kind in _columns(place)}


def data_test(place: Place, kind: str, column: str) -> Json:
    """A generic test on one column."""
    name = f"{kind}_{place.alias}_{column}"
    unique_id = f"test.{place.project}.{name}.{_hash(name)[:10]}"
    about = {"column_name": column, "model": f"{{{{ get_where_subquery(ref('{place.name}')) }}}}"}
    return _common(place.project, unique_id, name, f"{name}.sql") | {
        "resource_type": "test",
        "schema": "DBT_TEST__AUDIT",
        "checksum": {"name": "none", "checksum": ""},
        "config": _TEST_CONFIG,
        "relation_name": None,
        "raw_code": f"{{{{ test_{kind}(**_dbt_generic_test_kwargs) }}}}",
        "refs": [{"name": place.name, "package": None, "version": place.version}],
        "depends_on": {"macros": [f"macro.dbt.test_{kind}"], "nodes": [place.unique_id]},
        "compiled_path": f"target/compiled/{place.project}/models/{place.layer}/{place.name}.yml/{name}.sql",
        "compiled": True,
        "compiled_code": test_code(kind, f"PROD.{place.layer.upper()}.{place.alias}", column),
        "extra_ctes_injected": True,
        "extra_ctes": [],
        "contract": {"enforced": False, "alias_types": True, "checksum": None},
        "column_name": column,
        "file_key_name": f"models.{place.name}",
        "attached_node": place.unique_id,
        "test_metadata": {"name": kind, "kwargs": about, "namespace": None},
    }


def source(project: str, index: int) -> Json:
    """A table that one staging model reads."""
    name, place = f"table_{index:05d}", Place(project, "staging", index)
    return _common(project, f"source.{project}.raw.{name}", name, "sources.yml") | {
        "resource_type": "source",
        "database": "RAW",
        "schema": "RAW",
        "source_name": "raw",
        "source_description": sentence(1),
        "loader": "",
        "identifier": name,
        "quoting": dict.fromkeys(("database", "schema", "identifier", "column")),
        "loaded_at_field": None,
        "freshness": _PERIODS,
        "external": None,
        "description": sentence(index),
        "columns": {column: _column(place, column, kind) for column, kind in list(_columns(place))[: _COLUMNS // 3]},
        "source_meta": {},
        "config": {"enabled": True, "event_time": None, "freshness": _PERIODS, "meta": {}, "tags": []},
        "relation_name": f"RAW.RAW.{name}",
    }


def exposure(place: Place) -> Json:
    """A dashboard on one mart."""
    name = f"dashboard_{place.number:05d}"
    return _common(place.project, f"exposure.{place.project}.{name}", name, "exposures.yml") | {
        "resource_type": "exposure",
        "type": "dashboard",
        "owner": {"email": "somebody@example.com", "name": "Somebody"},
        "description": sentence(place.number),
        "depends_on": {"macros": [], "nodes": [place.unique_id]},
        "refs": [{"name": place.name, "package": None, "version": place.version}],
    }


def group(project: str, number: int) -> Json:
    """A group and the team that owns it."""
    name = f"group_{number}"
    owner = {"email": "team@example.com", "name": f"Team {word(number).capitalize()}", "slack": f"#{word(number)}"}
    return _common(project, f"group.{project}.{name}", name, "groups.yml") | {"resource_type": "group", "owner": owner}


def macro(number: int, size: int) -> Json:
    """One of dbt's own macros."""
    name = f"{word(number)}_{number:03d}"
    return {
        "name": name,
        "resource_type": "macro",
        "package_name": "dbt",
        "path": f"macros/{name}.sql",
        "original_file_path": f"macros/{name}.sql",
        "unique_id": f"macro.dbt.{name}",
        "macro_sql": macro_sql(number, size),
        "depends_on": {"macros": []},
        "description": "",
        "meta": {},
        "docs": _DOCS,
        "config": {"meta": {}, "docs": _DOCS},
        "patch_path": None,
        "arguments": [{"name": each, "type": None, "description": ""} for each in ("relation", "column_name", "node")],
        "created_at": _CREATED_AT,
        "supported_languages": None,
    }


def _common(project: str, unique_id: str, name: str, file: str) -> Json:
    return {
        "database": "PROD",
        "name": name,
        "package_name": project,
        "path": file,
        "original_file_path": f"models/{file}",
        "unique_id": unique_id,
        "fqn": [project, *file.removesuffix(".sql").split("/")],
        "alias": name,
        "tags": [],
        "description": "",
        "columns": {},
        "meta": {},
        "group": None,
        "docs": _DOCS,
        "patch_path": None,
        "build_path": None,
        "unrendered_config": {},
        "created_at": _CREATED_AT,
        "doc_blocks": [],
        "language": "sql",
        "refs": [],
        "sources": [],
        "metrics": [],
        "functions": [],
    }


def _columns(place: Place) -> Iterator[tuple[str, str]]:
    yield place.key, _TYPES[0]
    yield STATUS, _TYPES[1]
    for number in range(2, _COLUMNS):
        yield f"{word(place.number + number * 5)}_{number:02d}", _TYPES[number % len(_TYPES)]


def _column(place: Place, name: str, data_type: str) -> Json:
    return {
        "name": name,
        "description": sentence(place.number * 31 + len(name) * 17 + ord(name[-1])),
        "meta": {},
        "data_type": data_type,
        "constraints": [_constraint("not_null")] if place.public and name == place.key else [],
        "quote": None,
        "config": {"meta": {}, "tags": []},
        "tags": [],
        **dict.fromkeys(("granularity", "dimension", "entity")),
        "doc_blocks": [],
    }


def _constraint(kind: str) -> Json:
    unsaid: Sequence[str] = ("name", "expression", "to")
    return {
        "type": kind,
        **dict.fromkeys(unsaid),
        "warn_unenforced": True,
        "warn_unsupported": True,
        "to_columns": [],
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
