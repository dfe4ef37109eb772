"""The text of a packages.yml and local packages in, the same text with them listed out; nothing else of it changes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import yaml

_KEY: Final = "packages"


def with_packages(text: str, paths: Sequence[str]) -> str:
    """The text with `local: <path>` for each path below its other packages: comments, order and layout stay.

    Raises ValueError for a document whose packages are no list, so that nobody can say where to write.
    """
    import yaml

    text = text if text.endswith("\n") or not text else f"{text}\n"
    added = [f"local: {path}" for path in paths]
    document = yaml.safe_load(text) or {}
    changed = _inserted(text, yaml.compose(text), added)
    entries = (document.get(_KEY) or []) if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("its packages are no list")  # noqa: TRY004  # of the text, not of an argument
    if yaml.safe_load(changed) != document | {_KEY: [*entries, *({"local": path} for path in paths)]}:
        raise ValueError("its layout leaves no room for another package")
    return changed


def _inserted(text: str, root: "yaml.Node | None", added: Sequence[str]) -> str:
    import yaml

    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    listed = next((value for key, value in pairs if key.value == _KEY), None)
    match listed:
        case yaml.SequenceNode(flow_style=True):
            end = listed.end_mark.index - 1
            between = ", " if listed.value else ""
            return text[:end] + between + ", ".join(f"{{{entry}}}" for entry in added) + text[end:]
        case yaml.SequenceNode():
            end = _line_after(text, _end(listed))
            indent = " " * listed.start_mark.column
            return text[:end] + "".join(f"{indent}- {entry}\n" for entry in added) + text[end:]
        case yaml.ScalarNode():  # `packages:` with nothing behind it
            end = _line_after(text, listed.start_mark.index)
            return text[:end] + "".join(f"  - {entry}\n" for entry in added) + text[end:]
        case _:
            return text + f"{_KEY}:\n" + "".join(f"  - {entry}\n" for entry in added)


def _end(node: "yaml.Node") -> int:
    """Where the node's last words end: PyYAML ends a block where the next one begins, behind blanks and comments."""
    import yaml

    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return max(node.start_mark.index, node.end_mark.index - 1)


def _line_after(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
