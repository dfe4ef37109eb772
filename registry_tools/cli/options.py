"""The options that several commands share, each written once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from registry_tools.mesh.verdict import MODES, REACHES, UNKNOWNS
from registry_tools.settings import Flags

F = TypeVar("F", bound=Callable[..., Any])


def registry_options(command: F) -> F:
    """--bucket, --registry and --local: three ways to say where the registry is."""
    for option in (
        click.option("--local", is_flag=True, help="Use the directory .mesh/registry of this mesh."),
        click.option("--registry", metavar="ROOT", help="s3://bucket/prefix or a directory."),
        click.option("--bucket", metavar="NAME", help="The same as --registry s3://NAME/registry."),
    ):
        command = option(command)
    return command


def project_option(command: F) -> F:
    """--project-dir, as dbt has it."""
    return click.option(
        "--project-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        help="The dbt project's folder.  [default: this folder]",
    )(command)


def environment_option(command: F) -> F:
    """--env, or DBT_MESH_ENV."""
    return click.option(
        "--env",
        "environment",
        envvar="DBT_MESH_ENV",
        default="prod",
        help="The environment to build in.  [default: prod]",
    )(command)


def compatibility_options(command: F) -> F:
    """--mode, --reach and --unknown: what mesh.yml says below `compatibility`, otherwise for once."""
    for option in (
        click.option(
            "--unknown",
            type=click.Choice(UNKNOWNS),
            help="What becomes of changes nobody can judge.  [default: refuse]",
        ),
        click.option("--reach", type=click.Choice(REACHES), help="Whose usage counts.  [default: current]"),
        click.option("--mode", type=click.Choice(MODES), help="What stops a change.  [default: consumers]"),
    ):
        command = option(command)
    return command


def format_option(command: F) -> F:
    """--format text or json."""
    return click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people or for programs."
    )(command)


def flags(options: dict[str, Any]) -> Flags:
    """The registry options as typed; they are taken out of `options`."""
    return Flags(registry=options.pop("registry"), bucket=options.pop("bucket"), local=options.pop("local"))
