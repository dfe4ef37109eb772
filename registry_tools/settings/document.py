"""A YAML document's entries in, values of the right form out, or an error that names the key (`projects.up.owner`)."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from registry_tools.errors import DocumentError

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_LONGEST_SECONDS: Final = 3600
_LONGEST: Final = 500  # characters of a message: some lines of a terminal


class Document:
    """Reads the entries of one file; what a reader of a kind of document is made of."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment

    def known(self, settings: dict[str, Any], place: str, known: tuple[str, ...]) -> None:
        """Fail for a key that is none of those, with the nearest one that is."""
        for key in settings:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                advice = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
                self.fail(f"unknown key '{joined(place, str(key))}'", advice)

    def entry(self, entry: Any, place: str) -> dict[str, Any]:  # noqa: ANN401  # what a person wrote
        """The entry as a mapping; nothing written is an empty one."""
        if entry is None:
            return {}
        if not isinstance(entry, dict):
            self.fail(f"'{place}' is not a mapping", f"write {place.rsplit('.', 1)[-1]}: {{...}}")
        return entry

    def mapping(self, settings: dict[str, Any], key: str, place: str) -> dict[str, Any]:
        """The mapping at a key, its names all text."""
        entries = self.entry(settings.get(key), joined(place, key))
        for name in entries:
            if not isinstance(name, str):
                self.fail(f"'{joined(place, key)}' has the name {name!r}, which is not text", "put it in quotes")
        return entries

    def text(self, settings: dict[str, Any], key: str, place: str) -> str | None:
        """The text at a key, its `${VARIABLES}` filled in; None where nothing is written."""
        value = settings.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fail(f"'{joined(place, key)}' is {value!r}, not text", "put it in quotes")
        return _VARIABLE.sub(lambda found: self.variable(found, joined(place, key)), value)

    def texts(
        self, settings: dict[str, Any], key: str, place: str, known: tuple[str, ...] | None = None
    ) -> dict[str, str]:
        """The texts below a key, by name."""
        entries = self.mapping(settings, key, place)
        place = joined(place, key)
        if known is not None:
            self.known(entries, place, known)
        return {name: self.text(entries, name, place) or "" for name in entries}

    def choice(self, settings: dict[str, Any], key: str, place: str, choices: tuple[str, ...], *, default: str) -> str:
        """The text at a key, if it is one of the choices."""
        value = self.text(settings, key, place)
        if value is not None and value not in choices:
            self.fail(f"'{joined(place, key)}' is {value!r}", f"use one of {', '.join(choices)}")
        return value or default

    def flag(self, settings: dict[str, Any], key: str, place: str) -> bool:
        """True or false at a key; false where nothing is written."""
        value = settings.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"'{joined(place, key)}' is not true or false", f"write {key}: true")
        return value

    def matching(
        self, settings: dict[str, Any], key: str, place: str, form: re.Pattern[str], advice: str
    ) -> str | None:
        """The text, if it has the form; a wrong one is not shown, because a password may stand in it."""
        value = self.text(settings, key, place) or None
        if value is not None and not form.fullmatch(value):
            self.fail(f"'{joined(place, key)}' has not the form it should have", advice)
        return value

    def seconds(self, settings: dict[str, Any], key: str, place: str, default: float) -> float:
        """A number of seconds at a key."""
        value = settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST_SECONDS:
            self.fail(f"'{joined(place, key)}' is {value!r}, not a number of seconds", f"write {key}: {default:.0f}")
        return float(value)

    def variable(self, found: re.Match[str], place: str) -> str:
        """The value of a `${VARIABLE}`, or its default."""
        name, default = found.groups()
        value = self._environment.get(name) or default
        if value is None:
            self.fail(
                f"'{place}' needs the variable {name}, which is not set",
                f"export {name}=..., or write ${{{name}:-default}}",
            )
        return value

    def fail(self, what: str, then: str) -> NoReturn:
        """Raise a DocumentError that names the file; of a value that is written there its beginning."""
        what, then = (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..." for text in (what, then))
        raise DocumentError(what, where=str(self._path), then=then)


def joined(place: str, key: str) -> str:
    """The place of a key below a place: `projects.dbt_up`."""
    return f"{place}.{key}" if place else key
