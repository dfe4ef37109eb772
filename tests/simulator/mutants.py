"""A line of the product and a wrong one in its place in, the product with that mistake out, as long as asked for.

A mistake is made in the product's own source: where its line is no longer there, the mutant fails, so that none can
become harmless unseen.
"""

import inspect
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Edit:
    """In `owner.function`, the text `right` becomes `wrong`, whose lines are indented as the first one is."""

    owner: Any
    function: str
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake by its name."""

    name: str
    edits: tuple[Edit, ...]

    @contextmanager
    def alive(self) -> Iterator[None]:
        """The product makes the mistake inside this block."""
        edits: dict[tuple[Any, str], list[Edit]] = defaultdict(list)
        for edit in self.edits:
            edits[edit.owner, edit.function].append(edit)
        with ExitStack() as stack:
            for (owner, function), changes in edits.items():
                stack.enter_context(patch.object(owner, function, self._made(getattr(owner, function), changes)))
            yield

    def _made(self, sound: Callable[..., Any], edits: list[Edit]) -> Callable[..., Any]:
        source = textwrap.dedent(inspect.getsource(sound))
        for edit in edits:
            if source.count(edit.right) != 1:
                times = source.count(edit.right)
                raise LookupError(f"{self.name}: {edit.right!r} stands {times} times in {edit.function}")
            line = source[: source.index(edit.right)].rpartition("\n")[2]
            margin = re.sub(r"\S.*", "", line)
            source = source.replace(edit.right, edit.wrong.replace("\n", f"\n{margin}"))
        made: dict[str, Any] = {}
        exec(compile(source, f"<{self.name}>", "exec"), vars(sys.modules[sound.__module__]), made)  # noqa: S102  # our own text
        found: Callable[..., Any] = made[sound.__name__]
        return found
