"""The command `mesh`: a name in, the module of that command loaded and run out.

A command's module is imported when the command is typed, so that `mesh --help` does not wait for rich or boto3.
"""

from importlib import import_module
from typing import Final

import click

# name -> (where the command is, one line for --help)
COMMANDS: Final = {
    "publish": ("publish:command", "Publish what this project built: its interface, its usage, its state."),
    "sync": ("sync:command", "Write the files that this project builds with from what upstreams published."),
    "state": ("state:command", "Say what --defer reads from where, and where it would do nothing."),
    "history": ("history:history", "Show what was published, rolled back and withdrawn."),
    "show": ("history:show", "Show one publication whole, or with --resolved what this project reads."),
    "diff": ("diff:command", "Show what changed between two interfaces, or would if this project were published."),
    "check": ("check:command", "Say whom publishing this project would break; with --consumer, what breaks this one."),
    "consumers": ("consumers:command", "Show who reads a project's public models."),
    "impact": ("impact:command", "Show who reads a model or a column, with file and line."),
    "rollback": ("amend:rollback", "Make an earlier publication current again."),
    "yank": ("amend:yank", "Withdraw a publication."),
    "approve": ("amend:approve", "Allow a change that a rule forbids."),
    "lineage": ("lineage:command", "Show who reads which public model, across all projects."),
    "grants": ("grants:command", "Plan or apply the grants that let consumers read exactly the public models."),
    "notify": ("notify:command", "Tell a webhook what was published, refused or is about to leave."),
    "fsck": ("upkeep:fsck", "Hold everything in the registry against its log, and mend what has a copy."),
    "gc": ("upkeep:gc", "Show or delete what nobody needs any more."),
    "doctor": ("doctor:command", "Say whether this machine and this registry can be trusted with production."),
    "render": ("render:command", "Write the SQL, profiles, Terraform variables and workflows of mesh.yml."),
    "snowflake": ("snowflake:command", "Plan, apply or check what the Snowflake account has of this mesh."),
    "terraform-vars": ("terraform_vars:command", "Write the Terraform variables of aws_setup/ that mesh.yml comes to."),
    "local": ("local:command", "Start, stop or look at the embedded mesh: a local Snowflake and a local S3."),
    "demo": ("demo:command", "Run the whole loop on the embedded mesh, with no account and no network."),
}


class _Commands(click.Group):
    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        return load(name) if name in COMMANDS else None

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def load(name: str) -> click.Command:
    """The command of this name, its module imported now."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: click.Command = getattr(import_module(f"registry_tools.cli.{module}"), attribute)
    return command


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # click's signature
    if wanted:
        from importlib import metadata  # as slow as all of click, and of use here alone

        click.echo(f"mesh {metadata.version('registry-tools')}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def mesh() -> None:
    """Share public dbt models between projects through a manifest registry.

    Exit codes: 0 fine, 1 found something, 2 asked wrongly or a file is unreadable, 3 the registry could not be
    reached or lost its integrity.
    """


def main() -> None:
    """`mesh ...`."""
    mesh()


def publish_manifest() -> None:
    """`publish_manifest ...`, the same as `mesh publish`."""
    load("publish")(prog_name="publish_manifest")


def sync_mesh() -> None:
    """`sync_mesh ...`, the same as `mesh sync`."""
    load("sync")(prog_name="sync_mesh")
