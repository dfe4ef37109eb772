"""An interface in, a dbt package of stubs out: `ref('dbt_up', 'public_orders')` with no plugin, on dbt v1 and v2.

A stub is a model that nobody builds: it stands for the table that upstream built. The package is named as the upstream
project, so a stub's unique_id is the model's own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from registry_tools.artifacts import properties
from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import inert, inert_description, yaml_text
from registry_tools.mesh.freshness import freshness_of
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Constraint, PublicModel
from registry_tools.mesh.upstream import stub_materialization

# Where a package's files are, below its own folder.
STUBS: Final = ("dbt_project.yml", "macros/*.sql", "models/**/*.yml", "models/*.sql")
# What dbt's static parser, which knows no escapes, reads as it stands.
_PLAIN: Final = re.compile(r"""[\w.$ "`-]*""", re.ASCII)
_CONSTRAINTS: Final = ("not_null", "unique")

_MACROS: Final = """\
{{# {mark}; do not edit, run mesh sync. #}}

{{% materialization {stub}, default %}}
  {{%- call noop_statement('main', 'NO-OP') -%}}{{%- endcall -%}}
  {{{{ return({{'relations': []}}) }}}}
{{% endmaterialization %}}

{{# The place of a stub is upstream's to say: nothing in the project that reads it moves it. #}}
{{% macro generate_database_name(custom_database_name=none, node=none) -%}}
  {{%- set place = node.config.meta.get('mesh_relation', {{}}) -%}}
  {{%- if place.database -%}}
    {{{{ place.database }}}}
  {{%- else -%}}
    {{{{ return(adapter.dispatch('generate_database_name', 'dbt')(custom_database_name, node)) }}}}
  {{%- endif -%}}
{{%- endmacro %}}

{{% macro generate_schema_name(custom_schema_name, node) -%}}
  {{%- set place = node.config.meta.get('mesh_relation', {{}}) -%}}
  {{%- if place.schema -%}}
    {{{{ place.schema }}}}
  {{%- else -%}}
    {{{{ return(adapter.dispatch('generate_schema_name', 'dbt')(custom_schema_name, node)) }}}}
  {{%- endif -%}}
{{%- endmacro %}}

{{% macro generate_alias_name(custom_alias_name=none, node=none) -%}}
  {{%- set place = node.config.meta.get('mesh_relation', {{}}) -%}}
  {{%- if not place.identifier -%}}
    {{{{ return(adapter.dispatch('generate_alias_name', 'dbt')(custom_alias_name, node)) }}}}
  {{%- elif node.config.materialized != '{stub}' -%}}
    {{{{ exceptions.raise_compiler_error(
      "this is a stub of {upstream}, and your dbt_project.yml would have it built as a " ~ node.config.materialized
      ~ ". Add {upstream}: {{'+materialized': {stub}}} below models:"
    ) }}}}
  {{%- endif -%}}
  {{#- dbt v2 takes the quotes off an alias, though not off a schema: there it gets two pairs. -#}}
  {{%- set pair = '"' if dbt_version[0] != '1' and place.identifier[0] == '"' else '' -%}}
  {{{{ pair ~ place.identifier ~ pair }}}}
{{%- endmacro %}}
"""


def package_files(interface: Interface, quoting: Mapping[str, bool], *, tests: bool) -> dict[str, str]:
    """The files of the package by their paths below `mesh_packages/<upstream>`.

    `quoting` says what the consumer's dbt puts into quotes by itself (mesh.relation.Relation.spelled). A model and its
    versions have one YAML file, so that a changed model re-parses no other. `tests` also repeats upstream's unique
    and not_null tests here.
    """
    head = f"# {MARK}; do not edit, run mesh sync.\n"
    files = {
        "dbt_project.yml": head + yaml_text(_project(interface.project)),
        f"macros/{stub_materialization(interface.project)}.sql": _MACROS.format(
            mark=MARK, stub=stub_materialization(interface.project), upstream=interface.project
        ),
    }
    if interface.groups:
        # below a folder of its own, where no model's file can be
        files["models/groups/groups.yml"] = head + yaml_text({"version": 2, "groups": _groups(interface)})
    for name, versions in groupby(sorted(interface.models, key=_family), key=lambda model: model.name):
        models = list(versions)
        files[f"models/{name}.yml"] = head + yaml_text(_properties(interface, models, tests=tests))
        files |= {f"models/{_stem(model)}.sql": _stub(model, interface.adapter, quoting) for model in models}
        if missing := _missing_latest(models):
            files[f"models/{name}_v{missing}.sql"] = f"{{# {MARK}. Not public: nobody refers to it. #}}\nselect 1\n"
    return files


def _project(upstream: str) -> dict[str, Any]:
    settings = {"+materialized": stub_materialization(upstream), "+access": "public"}
    return {
        "name": upstream,
        "version": "1.0.0",
        "config-version": 2,
        "model-paths": ["models"],
        "macro-paths": ["macros"],
        "models": {upstream: settings},
    }


def _groups(interface: Interface) -> list[dict[str, Any]]:
    return [
        {"name": inert(group.name)}
        | ({"description": inert_description(group.description)} if group.description else {})
        | {"owner": {"name": inert(group.owner.name or group.name)}}
        for group in interface.groups
    ]


def _family(model: PublicModel) -> tuple[str, str]:
    return model.name, str(model.version)


def _stem(model: PublicModel) -> str:
    return model.name if model.version is None else f"{model.name}_v{model.version}"


def _missing_latest(models: list[PublicModel]) -> str | None:
    """The latest version where it is not public: without a name for it, dbt would take the highest that it knows."""
    latest = models[0].latest_version
    public = latest is None or any(model.is_latest for model in models)
    return None if public else str(latest)


def _properties(interface: Interface, models: list[PublicModel], *, tests: bool) -> dict[str, Any]:
    first = models[0]
    if first.version is None:
        return {"version": 2, "models": [{"name": first.name} | _entry(interface, first, tests=tests)]}
    versions = [
        {"v": model.version, "defined_in": _stem(model)} | _entry(interface, model, tests=tests) for model in models
    ]
    if _missing_latest(models):
        versions.append({"v": first.latest_version, "config": {"enabled": False}})
    family = {"name": first.name, "latest_version": first.latest_version, "versions": versions}
    return {"version": 2, "models": [family]}


def _entry(interface: Interface, model: PublicModel, *, tests: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if description := properties.description(interface, model):
        entry["description"] = description
    if model.is_dated:
        entry["deprecation_date"] = model.leaves_on
    known = any(group.name == model.group for group in interface.groups)
    group = {"group": inert(model.group)} if known and model.group else {}
    entry["config"] = group | properties.config(interface, model, _facts(model))
    if constraints := list(_constraints(model.constraints, model.declared_key)):
        entry["constraints"] = constraints
    if columns := properties.columns(model, tests=tests):
        for column, written in zip(model.columns.values(), columns, strict=True):
            if promised := list(_constraints(column.constraints)):
                written["constraints"] = promised
        entry["columns"] = columns
    return entry


def _facts(model: PublicModel) -> dict[str, Any]:
    facts: dict[str, Any] = {"project": model.package_name, "model": model.name}
    if freshness := freshness_of(model.meta):
        facts |= {"loaded_at_field": freshness.loaded_at_field} if freshness.loaded_at_field else {}
        facts |= {"freshness": dict(freshness.thresholds)} if freshness.thresholds else {}
    return facts


def _constraints(constraints: Iterable[Constraint], key: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """The primary key, and those that say something without the SQL that stayed at home.

    dbt stops at a second primary key. Foreign keys stand in meta alone: it would have them lead to a `ref`, and the
    stubs would depend on one another (dbt-core, ModelPatchParser._process_constraints_refs_and_sources).
    """
    if key:
        yield properties.inert_entries({"type": "primary_key", "columns": key})
    for constraint in constraints:
        if constraint.type in _CONSTRAINTS:
            columns = {"columns": constraint.columns} if constraint.columns else {}
            yield properties.inert_entries({"type": constraint.type} | columns)


def _stub(model: PublicModel, adapter: str, quoting: Mapping[str, bool]) -> str:
    """The model's place, and a query that shows its rows to whoever previews the stub.

    The place stands in the file and not in the YAML beside it, because dbt names a relation before it reads the YAML.
    """
    relation = model.relation(adapter)
    place = relation.spelled(quoting)
    if all(_PLAIN.fullmatch(part) for part in place.values()):
        entries = ", ".join(f"'{name}': '{part}'" for name, part in place.items())
        told = f"{{{{ config(meta={{'mesh_relation': {{{entries}}}}}) }}}}"
    else:
        # the static parser leaves this to Jinja, whose strings have JSON's escapes
        entries = ", ".join(f"'{name}': {_literal(part)}" for name, part in place.items())
        told = f"{{%- set place = {{{entries}}} -%}}\n{{{{ config(meta={{'mesh_relation': place}}) }}}}"
    return f"{{# {MARK}; do not edit, run mesh sync. #}}\n{told}\nselect * from {inert(str(relation))}\n"


def _literal(text: str) -> str:
    """A string of Jinja that holds nothing that could end it, a tag or an expression.

    Letters beyond ASCII stay: JSON escapes what is beyond U+FFFF in two halves, and Jinja would not join them.
    """
    return (
        json.dumps(text, ensure_ascii=False)
        .replace("{", "\\u007b")
        .replace("}", "\\u007d")
        .replace("%", "\\u0025")
        .replace("#", "\\u0023")
    )
