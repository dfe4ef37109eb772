"""A lineage in, the mesh as a tree on the terminal out: project, public model, who reads it and how."""

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from registry_tools.mesh.lineage import Lineage, Member
from registry_tools.mesh.printable import printable
from registry_tools.mesh.public_model import PublicModel


def show_tree(lineage: Lineage, console: Console | None = None) -> None:
    """Print one tree for each project that has public models or that reads somebody."""
    console = console or Console(highlight=False)
    for member in lineage.members:
        # A name is never cut to the width of a terminal: people copy it.
        console.print(_project(member, lineage), overflow="ignore", no_wrap=True, crop=False)


def _project(member: Member, lineage: Lineage) -> Tree:
    reads = f"  [dim]reads {escape(printable(', '.join(member.usage.upstreams)))}[/]" if member.usage.upstreams else ""
    tree = Tree(f"[bold]{escape(printable(member.project))}[/]{reads}")
    for model in member.interface.models:
        branch = tree.add(f"[cyan]{escape(printable(model.label))}[/]{_facts(member, model)}")
        for project, node, via in _readers(member, model, lineage):
            branch.add(f"{escape(printable(project))}  {escape(printable(node))}  [dim]{via}[/]")
    return tree


def _facts(member: Member, model: PublicModel) -> str:
    gone = f"  [yellow]deprecated, leaves on {escape(printable(model.leaves_on))}[/]" if model.leaves_on else ""
    relation = escape(printable(str(model.relation(member.interface.adapter))))
    return f"  [dim]{relation}[/]{gone}"


def _readers(member: Member, model: PublicModel, lineage: Lineage) -> list[tuple[str, str, str]]:
    versions = {"" if model.version is None else str(model.version)} | ({""} if model.is_latest else set())
    return [
        (project, read.node, read.via)
        for version in sorted(versions)
        for project, read in lineage.readers_of(member.project, model.name, version)
    ]
