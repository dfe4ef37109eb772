"""The account's book: roles, users, warehouses and who was granted what; kept as JSON beside the databases."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from registry_tools.disk import write_whole

RELATIONS = frozenset({"TABLE", "VIEW"})
_MADE = RELATIONS | {"SCHEMA"}  # what a future grant can be about


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A privilege on a thing, given to someone. Membership in a role is USAGE on the role, as Snowflake shows it.

    A `future` grant stands for things that do not exist yet: `name` is then the database or schema they will be in.
    """

    privilege: str
    kind: str
    name: str
    to_kind: str
    to: str
    future: bool = False
    by: str = field(default="SYSADMIN", compare=False)
    since: str = field(default_factory=_now, compare=False)


class GrantBook:
    """Nothing in here is enforced. It is what SHOW answers, so that setup scripts and dbt's `grants` have an effect."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._objects: dict[tuple[str, str], str] = {}
        self._grants: list[Grant] = []
        self._settings: dict[tuple[str, str], dict[str, str]] = {}
        if path.exists():
            document = json.loads(path.read_text(encoding="utf-8"))
            self._objects = {(kind, name): since for kind, name, since in document["objects"]}
            self._grants = [Grant(**entry) for entry in document["grants"]]
            self._settings = {(kind, name): held for kind, name, held in document.get("settings", [])}

    def has(self, kind: str, name: str) -> bool:
        """Whether such an account object was created and not dropped since."""
        return (kind, name) in self._objects

    def objects(self, kind: str) -> list[tuple[str, str]]:
        """Name and time of creation of the account objects of one kind."""
        return sorted((name, since) for (of, name), since in tuple(self._objects.items()) if of == kind)

    def create(self, kind: str, name: str, *, role: str) -> None:
        """Notes an account object and the role that owns it."""
        with self._lock:
            self._objects[kind, name] = _now()
            self._settings.pop((kind, name), None)
            self.grant([Grant(privilege="OWNERSHIP", kind=kind, name=name, to_kind="ROLE", to=role, by=role)])

    def settings(self, kind: str, name: str) -> dict[str, str]:
        """How something is set, in the words of ALTER ... SET; nothing for what was never set."""
        return dict(self._settings.get((kind, name), {}))

    def set(self, kind: str, name: str, sets: Mapping[str, str], unsets: Iterable[str] = ()) -> None:
        """Notes how something is set from now on."""
        with self._lock:
            gone = set(unsets)
            held = {**self._settings.get((kind, name), {}), **sets}
            self._settings[kind, name] = {key: value for key, value in held.items() if key not in gone}
            self._save()

    def drop(self, kind: str, name: str) -> None:
        """Forgets an account object, what it was granted, and what was granted on it."""
        with self._lock:
            self._objects.pop((kind, name), None)
            self._settings.pop((kind, name), None)
            self._keep(lambda grant: not _concerns(grant, kind, name))

    def grant(self, grants: Iterable[Grant]) -> None:
        """Adds what is not there yet."""
        with self._lock:
            self._grants += [grant for grant in dict.fromkeys(grants) if grant not in self._grants]
            self._save()

    def revoke(self, grants: Iterable[Grant]) -> None:
        """Takes away what is there; revoking what was never granted is no error, as in Snowflake."""
        gone = set(grants)
        with self._lock:
            self._keep(lambda grant: grant not in gone)

    def find(self, wanted: Callable[[Grant], bool]) -> list[Grant]:
        """The grants that fit, in the order in which they were given."""
        return [grant for grant in tuple(self._grants) if wanted(grant)]

    def created(self, kind: str, name: str, *, role: str, afresh: bool) -> None:
        """A table, view or schema came into being. `afresh` forgets its predecessor's grants: in Snowflake, CREATE OR
        REPLACE does so unless COPY GRANTS says otherwise, which is what `copy_grants` in dbt is for.
        """
        with self._lock:
            known = any(_on(grant, name) for grant in self._grants)
            if known and not afresh:
                return
            database, schema, *_ = name.split(".")
            containers = {database, f"{database}.{schema}"}
            due = [g for g in self._grants if g.future and g.kind == kind and g.name in containers]
            self._grants = [grant for grant in self._grants if not _on(grant, name)]
            self.grant(
                [
                    Grant(privilege="OWNERSHIP", kind=kind, name=name, to_kind="ROLE", to=role, by=role),
                    *(replace(grant, name=name, future=False, since=_now()) for grant in due),
                ]
            )

    def renamed(self, old: str, new: str) -> None:
        """The grants of a table or view follow it to its new name."""
        with self._lock:
            kept = (grant for grant in self._grants if not _on(grant, new))
            self._grants = [replace(grant, name=new) if _on(grant, old) else grant for grant in kept]
            self._save()

    def dropped(self, name: str) -> None:
        """A database, schema, table or view is gone, and with it the grants on it and on all that was inside."""
        with self._lock:
            known = (*self._settings, *self._objects)
            gone = [key for key in known if _is_at(key[1], name) and (key[0] == "DATABASE" or "." in key[1])]
            for key in gone:
                self._settings.pop(key, None)
                self._objects.pop(key, None)
            self._keep(lambda grant: not _is_at(grant.name, name))

    def _keep(self, wanted: Callable[[Grant], bool]) -> None:
        self._grants = [grant for grant in self._grants if wanted(grant)]
        self._save()

    def _save(self) -> None:
        document = {
            "objects": [[kind, name, since] for (kind, name), since in self._objects.items()],
            "grants": [asdict(grant) for grant in self._grants],
            "settings": [[kind, name, held] for (kind, name), held in self._settings.items()],
        }
        write_whole(self._path, json.dumps(document, indent=1).encode())


def _concerns(grant: Grant, kind: str, name: str) -> bool:
    return (grant.to_kind, grant.to) == (kind, name) or (grant.kind, grant.name) == (kind, name)


def _is_at(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def _on(grant: Grant, name: str) -> bool:
    return grant.name == name and grant.kind in _MADE and not grant.future
