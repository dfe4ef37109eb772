"""Small manifests, interfaces and projects: the least that dbt 1.12 would write, and every part of it replaceable."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from registry_tools.artifacts.sources import sources_files
from registry_tools.assessment import Terms
from registry_tools.checks.modes import Modes
from registry_tools.intake.manifest import Manifest, read_manifest
from registry_tools.intake.project import ProjectFolder, read_project
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.deployment import DeployedProject, Deployment, Place, Reader
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.lock import Pin
from registry_tools.mesh.public_model import Column, Config, Group, Owner, PublicModel
from registry_tools.mesh.publication import Actor, Publication
from registry_tools.mesh.upstream import SyncedUpstream, Upstream
from registry_tools.mesh.usage import Usage
from registry_tools.registry.packing import packed
from registry_tools.registry.publications import Candidate, Registry
from registry_tools.tasks.publish_manifest import Published, PublishRequest, publish_manifest

Json = dict[str, Any]

SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
GENERATED_AT = "2026-01-23T06:45:41.000000Z"


# -- what dbt writes --------------------------------------------------------------------------------------------------


def node(name: str, /, project: str = "dbt_up", **changes: Any) -> Json:
    """A public model in PROD.MARTS; `version` goes into its unique_id as dbt has it."""
    version = changes.get("version")
    suffix = "" if version is None else f".v{version}"
    stem = f"{name}{suffix.replace('.', '_')}"
    return {
        "unique_id": f"model.{project}.{name}{suffix}",
        "name": name,
        "resource_type": "model",
        "package_name": project,
        "path": f"marts/{stem}.sql",
        "original_file_path": f"models/marts/{stem}.sql",
        "alias": stem,
        "database": "PROD",
        "schema": "MARTS",
        "relation_name": f"PROD.MARTS.{stem}",
        "access": "public",
        "config": {"materialized": "table", "access": "public", "meta": {}},
        "description": f"All {name}.",
        "columns": {"id": column("id")},
        "constraints": [],
        "contract": {"enforced": False, "alias_types": True, "checksum": None},
        "checksum": {"name": "sha256", "checksum": "0" * 64},
        "tags": [],
        "meta": {},
        "group": None,
        "depends_on": {"macros": [], "nodes": []},
        "raw_code": "select 1 as id",
        "created_at": 1.5,
        "version": None,
        "latest_version": None,
        "deprecation_date": None,
        "primary_key": [],
    } | changes


def private(name: str, /, project: str = "dbt_up", **changes: Any) -> Json:
    """A model that nobody else reads."""
    return node(name, project, **{"access": "protected", "config": {"materialized": "view"}} | changes)


def foreign(name: str, /, project: str = "dbt_up", **changes: Any) -> Json:
    """A public model of another project as dbt-loom puts it into the manifest of a consumer: without a file."""
    return node(name, project, **{"path": "", "original_file_path": ""} | changes)


def column(name: str, /, **changes: Any) -> Json:
    """A column, as dbt has it below its model."""
    return {
        "name": name,
        "description": "",
        "data_type": "number",
        "constraints": [],
        "quote": None,
        "tags": [],
        "meta": {},
    } | changes


def data_test(name: str, model: str, column_name: str | None, /, project: str = "dbt_up", **changes: Any) -> Json:
    """A generic test on a column of a model, by the model's unique_id."""
    return {
        "unique_id": f"test.{project}.{name}_{model.rsplit('.', 1)[-1]}_{column_name}.0123456789",
        "name": f"{name}_{column_name}",
        "resource_type": "test",
        "package_name": project,
        "column_name": column_name,
        "attached_node": model,
        "test_metadata": {"name": name, "namespace": None, "kwargs": {}},
        "config": {"severity": "ERROR", "where": None, "error_if": "!= 0"},
        "depends_on": {"macros": [], "nodes": [model]},
    } | changes


def group(name: str, /, project: str = "dbt_up", **owner: Any) -> Json:
    """A group; its owner has an e-mail address, as dbt asks for one."""
    return {
        "unique_id": f"group.{project}.{name}",
        "name": name,
        "resource_type": "group",
        "package_name": project,
        "path": "groups.yml",
        "original_file_path": "models/groups.yml",
        "owner": {"name": "Core Data", "email": "somebody@example.com", **owner},
        "description": None,
    }


def reader(kind: str, name: str, reads: Iterable[str], project: str = "dbt_down") -> Json:
    """Anything that depends on something: `exposure`, `unit_test`, `snapshot`."""
    return {
        "unique_id": f"{kind}.{project}.{name}",
        "name": name,
        "resource_type": kind,
        "package_name": project,
        "depends_on": {"macros": [], "nodes": list(reads)},
    }


def source(name: str, relation: str, project: str = "dbt_down", mesh: Any = None) -> Json:
    """A source table of `relation`; `mesh` is the mark that mesh sync writes."""
    return {
        "unique_id": f"source.{project}.dbt_up.{name}",
        "name": name,
        "resource_type": "source",
        "package_name": project,
        "source_name": "dbt_up",
        "relation_name": relation,
        "meta": {} if mesh is None else {"mesh": mesh},
    }


def manifest(*entries: Json, project: str = "dbt_up", **changes: Any) -> Json:
    """A manifest with these entries, each in the section of its resource_type; `metadata` is merged."""
    metadata = {
        "dbt_schema_version": SCHEMA,
        "dbt_version": "1.12.6",
        "generated_at": GENERATED_AT,
        "project_name": project,
        "adapter_type": "snowflake",
        "env": {},
    } | changes.pop("metadata", {})
    sections: Json = {name: {} for name in ("nodes", "sources", "groups", "exposures", "unit_tests", "semantic_models")}
    homes = {name.removesuffix("s"): name for name in sections}
    for entry in entries:
        sections[homes.get(entry["resource_type"], "nodes")][entry["unique_id"]] = entry
    return {"metadata": metadata, **sections, "macros": {}, "docs": {}, "disabled": {}} | changes


# -- the same, read ---------------------------------------------------------------------------------------------------


def read(folder: Path, document: Json | bytes) -> Manifest:
    """The manifest as read from a file of `folder`."""
    path = folder / "manifest.json"
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return read_manifest(path)


def interface_of(folder: Path, *entries: Json) -> Interface:
    """The interface of a manifest with these entries."""
    return extract_interface(read(folder, manifest(*entries)))


# -- values of the mesh -----------------------------------------------------------------------------------------------


def public_model(name: str = "orders", /, project: str = "dbt_up", **changes: Any) -> PublicModel:
    """A public model in PROD.MARTS with one column."""
    version = changes.get("version")
    suffix = "" if version is None else f".v{version}"
    fields: Json = {
        "unique_id": f"model.{project}.{name}{suffix}",
        "name": name,
        "package_name": project,
        "alias": name.upper(),
        "relation_name": f"PROD.MARTS.{name.upper()}{suffix.upper().replace('.', '_')}",
        "database": "PROD",
        "schema": "MARTS",
        "access": "public",
        "description": f"All {name}.",
        "columns": {"id": Column(name="id", data_type="number")},
        "config": Config(materialized="table", access="public"),
    }
    return PublicModel(**fields | changes)


def interface(*models: PublicModel, project: str = "dbt_up", **changes: Any) -> Interface:
    """The interface of these models, on Snowflake."""
    return Interface(**{"project": project, "adapter": "snowflake", "models": models} | changes)


def team(name: str = "core", **changes: Any) -> Group:
    """A group of dbt_up with an owner."""
    fields: Json = {"name": name, "unique_id": f"group.dbt_up.{name}", "package_name": "dbt_up"}
    return Group(**fields | {"owner": Owner(name="Core Data", slack="#core")} | changes)


def publication(project: str = "dbt_up", **changes: Any) -> Publication:
    """The first publication of a project in prod."""
    fields: Json = {
        "project": project,
        "environment": "prod",
        "id": "20260123T064541Z-0123456789ab",
        "n": 1,
        "digest": "0" * 64,
        "published_at": "2026-01-23T06:50:00+00:00",
        "actor": Actor(),
    }
    return Publication(**fields | changes)


# -- projects on disk, and in a registry ------------------------------------------------------------------------------


def project_folder(root: Path, name: str, document: Json | None = None) -> ProjectFolder:
    """A dbt project below `root`, built where `document` is its manifest."""
    folder = root / name
    (folder / "target").mkdir(parents=True, exist_ok=True)
    if not (folder / "dbt_project.yml").exists():
        (folder / "dbt_project.yml").write_text(f"name: {name}\n")
    if document is not None:
        (folder / "target/manifest.json").write_text(json.dumps(document))
    return read_project(folder, {})


def publish(root: Path, registry: Registry, document: Json, **asked: Any) -> Published:
    """Publish this manifest in prod, whatever it changes, or as `asked`."""
    project = project_folder(root, document["metadata"]["project_name"], document)
    fields: Json = {"project": project, "environment": "prod", "terms": Terms(modes=Modes(default="off"))}
    return publish_manifest(PublishRequest(**fields | asked), registry)


def candidate(published: Interface, **changes: Any) -> Candidate:
    """An interface ready to be published without any file; a state is given as it is and packed here."""
    fields: Json = {
        "project": published.project,
        "environment": "prod",
        "id": "20260123T064541Z-0123456789ab",
        "generated_at": GENERATED_AT,
        "interface": published,
        "usage": Usage(project=published.project),
        "state": None,
        "actor": Actor(),
        "time": "2026-01-23T06:50:00+00:00",
    }
    chosen = fields | changes
    return Candidate(**chosen | {"state": None if chosen["state"] is None else packed(chosen["state"])})


def files_below(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder with its bytes: what is compared to show that nothing was written."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def synced(read: Interface, way: str = "loom", **settings: Any) -> SyncedUpstream:
    """An upstream with this interface, read in this way."""
    now = publication(read.project)
    pin = Pin(environment=now.environment, publication=now.id, n=now.n, record="0" * 64, digest=now.digest)
    upstream = Upstream(name=read.project, way=way, **settings)
    return SyncedUpstream(upstream=upstream, publication=now, published=read, interface=read, pin=pin, before=None)


def sources_text(read: Interface, *, tests: bool = True, **changes: Any) -> str:
    """The source YAML of an interface; where it takes several files, one document for each, below its name."""
    files = sources_files(read, publication(read.project, **changes), tests=tests)
    if len(files) == 1:
        return next(iter(files.values()))
    return "".join(f"--- # {name}\n{text}" for name, text in files.items())


def sources_blocks(read: Interface, *, tests: bool = True) -> list[Json]:
    """The sources in it, of all files."""
    documents = yaml.safe_load_all(sources_text(read, tests=tests))
    return [block for document in documents for block in document["sources"]]


def deployment(**reads: Iterable[str]) -> Deployment:
    """dbt_up and these projects in prod, each with the upstreams that it reads; DBT_UP_PROD, DBT_UP_ROLE and so on."""
    upstreams = {"dbt_up": (), **{name: tuple(read) for name, read in reads.items()}}
    return Deployment(
        projects=tuple(
            DeployedProject(
                name=name,
                folder=name,
                places=(_place(name, [each for each, read in upstreams.items() if name in read]),),
                schemas=("RAW", "STAGING", "MARTS"),
                size="XSMALL",
                credits=10,
                upstreams=read,
                consumers=tuple(each for each, others in upstreams.items() if name in others),
            )
            for name, read in upstreams.items()
        )
    )


def _place(name: str, consumers: Iterable[str]) -> Place:
    bare = name.upper()
    return Place(
        environment="prod",
        database=f"{bare}_PROD",
        warehouse=f"{bare}_WH",
        role=f"{bare}_ROLE",
        user=f"{bare}_SVC",
        developer_role=f"{bare}_DEVELOPER",
        lasting=True,
        readers=tuple(Reader(project=each, role=f"{each.upper()}_ROLE") for each in consumers),
    )
