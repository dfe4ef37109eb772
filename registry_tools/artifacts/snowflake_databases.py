"""A deployment in, the SQL of its databases, schemas, warehouses and resource monitors out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.artifacts.snowflake_script import Section, Stretch, script, settings, tagging
from registry_tools.mesh.deployment import SIZES, DeployedProject, Deployment, Place, SnowflakeTerms

# Seconds without a query after which a warehouse sleeps; less saves nothing, as a minute is the least that is billed
# (Snowflake, Overview of Warehouses).
_SLEEPS_AFTER: Final = 60
# Characters of a tag's value (Snowflake, Object tagging, Tag quotas).
_LONGEST_TAG: Final = 256
_TRIGGERS: Final = "triggers on 80 percent do notify on 100 percent do suspend"


# What dbt's macro load_raw makes of raw files, where any land.
_LANDED: Final = "LANDED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Warehouse:
    """A warehouse with the projects and environments that it works for, as large as the largest asks for."""

    name: str
    projects: tuple[str, ...]
    environments: tuple[str, ...]
    size: str
    credits: int


def warehouses(deployment: Deployment) -> tuple[Warehouse, ...]:
    """Every warehouse once, in the order in which they are asked for."""
    served: dict[str, list[tuple[DeployedProject, Place]]] = {}
    for project, place in deployment.placed:
        served.setdefault(place.warehouse, []).append((project, place))
    return tuple(
        Warehouse(
            name=name,
            projects=tuple(dict.fromkeys(project.name for project, _ in pairs)),
            environments=tuple(dict.fromkeys(place.environment for _, place in pairs)),
            size=max((project.size for project, _ in pairs), key=SIZES.index),
            credits=max(project.credits for project, _ in pairs),
        )
        for name, pairs in served.items()
    )


def schemas(project: DeployedProject, place: Place) -> tuple[str, ...]:
    """The schemas that a project has in a place before anything is built there, with the name of their database."""
    landed = (_LANDED,) if project.landing and place.lasting else ()
    return tuple(f"{place.database}.{schema}" for schema in dict.fromkeys((*project.schemas, *landed)))


def databases_and_warehouses(deployment: Deployment) -> GeneratedFile:
    """01: what holds data, and what computes."""
    terms, every = deployment.snowflake, warehouses(deployment)
    sections = [_governance(terms)]
    for project in deployment.projects:
        own = [warehouse for warehouse in every if warehouse.projects[0] == project.name]
        sections.append(_project(project, own, terms))
    return script(
        "01_databases_and_warehouses.sql",
        (
            "Databases by project and environment, their schemas and warehouses, and tags that say whose cost it is.",
            "Managed access takes a schema's ownership and MANAGE GRANTS at once, which ACCOUNTADMIN alone has.",
        ),
        sections,
    )


def resource_monitors(deployment: Deployment) -> GeneratedFile:
    """04: what each warehouse may cost in a month."""
    return script(
        "04_resource_monitors.sql",
        ("Credits a month: at 80 % somebody is told of it, at 100 % the warehouse finishes what it runs, and stops.",),
        (_monitor(warehouse) for warehouse in warehouses(deployment)),
    )


def _governance(terms: SnowflakeTerms) -> Section:
    name = terms.governance
    return Section(
        title=name,
        why="Tags and policies belong to no project; a bill is split by these tags (ACCOUNT_USAGE.TAG_REFERENCES).",
        stretches=(
            Stretch(
                "SYSADMIN",
                (
                    f"create database if not exists {name}",
                    f"create schema if not exists {name}.TAGS",
                    f"create schema if not exists {name}.POLICIES",
                    f"create tag if not exists {name}.TAGS.MESH_PROJECT",
                    f"create tag if not exists {name}.TAGS.MESH_ENVIRONMENT",
                ),
            ),
        ),
    )


def _project(project: DeployedProject, own: Iterable[Warehouse], terms: SnowflakeTerms) -> Section:
    """Its databases, and the warehouses that no project before it has asked for."""
    made, administered = list[str](), list[str]()
    for warehouse in own:
        made += _made(warehouse, terms)
        administered.append(_tagged("warehouse", warehouse.name, warehouse.projects, warehouse.environments, terms))
    for place in project.places:
        standing = schemas(project, place)
        made.append(f"create database if not exists {place.database}")
        made += (f"create schema if not exists {schema}" for schema in standing)
        administered += (f"alter schema {schema} enable managed access" for schema in standing)
        administered.append(_tagged("database", place.database, (project.name,), (place.environment,), terms))
    return Section(
        title=project.name,
        why=_kept(project),
        stretches=(Stretch("SYSADMIN", tuple(made)), Stretch("ACCOUNTADMIN", tuple(administered))),
    )


def _kept(project: DeployedProject) -> str:
    """Which of its databases last, and what becomes of the others."""
    lasting = " and ".join(place.environment for place in project.places if place.lasting)
    passing = " and ".join(place.environment for place in project.places if not place.lasting)
    lasts = f"What stands in {lasting} lasts, as others read it" if lasting else "Nothing here is read by others"
    comes = f"in {passing} each job and each person adds schemas" if passing else "nothing comes and goes"
    return f"{lasts}; {comes}."


def _made(warehouse: Warehouse, terms: SnowflakeTerms) -> Iterator[str]:
    size = ("warehouse_size", warehouse.size)
    asleep = ("initially_suspended", "true")
    yield settings(f"create warehouse if not exists {warehouse.name}", (size, asleep))
    yield settings(
        f"alter warehouse {warehouse.name} set",
        (
            size,
            ("auto_suspend", _SLEEPS_AFTER),
            ("auto_resume", "true"),
            ("statement_timeout_in_seconds", terms.statement_timeout),
        ),
    )


def _tagged(kind: str, name: str, projects: Sequence[str], environments: Sequence[str], terms: SnowflakeTerms) -> str:
    tags = f"{terms.governance}.TAGS"
    whose = (
        (f"{tags}.MESH_PROJECT", _listed(projects, "projects")),
        (f"{tags}.MESH_ENVIRONMENT", _listed(environments, "environments")),
    )
    return tagging(f"alter {kind} {name}", whose)


def _listed(names: Sequence[str], noun: str) -> str:
    """The names as the value of a tag, or how many they are where it would not take them."""
    value = " ".join(names)
    return value if len(value) <= _LONGEST_TAG else f"{len(names)} {noun}"


def _monitor(warehouse: Warehouse) -> Section:
    name = f"{warehouse.name}_MONITOR"
    quota = ("credit_quota", warehouse.credits)
    monthly = (("frequency", "monthly"), ("start_timestamp", "immediately"))
    shared = "the largest quota that one of them asks for" if len(warehouse.projects) > 1 else "the quota it asks for"
    statements = (
        settings(f"create resource monitor if not exists {name} with", (quota, *monthly)),
        f"alter resource monitor {name} set credit_quota = {warehouse.credits}\n    {_TRIGGERS}",
        f"alter warehouse {warehouse.name} set resource_monitor = {name}",
    )
    return Section(
        title=warehouse.name,
        why=f"Works for {', '.join(warehouse.projects)}: {shared}.",
        stretches=(Stretch("ACCOUNTADMIN", statements),),
    )
