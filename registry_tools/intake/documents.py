"""A file's path in, its bytes or the mapping it holds out; whatever is wrong with it is said with its place."""

from pathlib import Path
from typing import Any, Final

from registry_tools.errors import DocumentError

# Twice the largest manifest that we have seen described; a document beyond it is a mistake or an attack.
MAX_BYTES: Final = 1 << 30


def read_bytes(path: Path, *, noun: str, then: str) -> bytes:
    """The file's bytes. Raises DocumentError saying what the file should be (`noun`) and how to get it (`then`)."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentError(
                f"{noun} of {size:,} bytes is over the limit of {MAX_BYTES:,}", where=str(path), then=then
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"{noun} is missing", where=str(path), then=then) from None
    except OSError as error:
        raise DocumentError(f"{noun} cannot be read: {error.strerror}", where=str(path), then=then) from error
    if not content.strip():
        raise DocumentError(f"{noun} is empty", where=str(path), then=then)
    return content


def read_yaml(path: Path, *, noun: str, then: str, unique: bool = True) -> dict[str, Any]:
    """The mapping in a YAML file. With `unique` a key written twice is an error, because YAML drops one silently."""
    import yaml

    from registry_tools.intake.strict_yaml import StrictLoader

    text = read_bytes(path, noun=noun, then=then)
    try:
        document = yaml.load(text, Loader=StrictLoader if unique else yaml.SafeLoader)  # noqa: S506  # both are safe
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise DocumentError(f"{noun} is not YAML: {error.problem}", where=place, then=then) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentError(f"{noun} is not YAML: {error}", where=str(path), then=then) from None
    except (AttributeError, KeyError, TypeError):  # out of PyYAML's own constructors, for `!!bool x`
        raise DocumentError(
            f"{noun} is not YAML: a value is not what its tag says", where=str(path), then=then
        ) from None
    if not isinstance(document, dict):
        raise DocumentError(f"{noun} is a {type(document).__name__}, not a mapping", where=str(path), then=then)
    return document
