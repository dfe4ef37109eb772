"""A project and an environment in, what was published there out: every checked read of a registry.

An unchanged log costs one LIST: whoever saw its newest record before has it, and the files that it names, in the
cache. Whatever is read is held against the digest that the log promises, and the log against what was seen of it.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import zstandard

from registry_tools.errors import Forbidden, IntegrityError, RegistryError, UsageError
from registry_tools.mesh import names
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.publication import Publication, Record
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.usage import Usage
from registry_tools.registry import layout
from registry_tools.registry.cache import Cache, Head
from registry_tools.registry.log import INTEGRITY, Entry, Log
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.packing import unpacked
from registry_tools.registry.patience import CLOCK, Clock

_READS: Final = 3
_DAMAGED: Final = "run mesh fsck --repair; what it cannot repair, publish anew, and find out who writes to the registry"

# Made once and here, because readers run in threads (see mesh.interface).
_USAGE: Final = msgspec.json.Decoder(Usage)


class Reading:
    """What a registry holds on one store.

    With a cache, what was read before is not read again, and a log that was rewritten since is an IntegrityError.
    `offline` asks the cache alone and the store for nothing.
    """

    def __init__(
        self, store: ObjectStore, *, clock: Clock = CLOCK, cache: Cache | None = None, offline: bool = False
    ) -> None:
        self.store = store
        self.clock = clock
        self.cache = cache
        self.offline = offline

    def log(self, project: str, environment: str) -> Log:
        """The log itself."""
        return Log(self.store, project, environment, self.clock)

    # -- which publication --------------------------------------------------------------------------------------------

    def newest(self, project: str, environment: str) -> Entry | None:
        """The newest record of the log, None before the first. Raises IntegrityError for a log that was rewritten."""
        seen = self.cache.head(self.store.identity, project, environment) if self.cache else None
        if self.offline:
            return self._remembered(project, environment, seen)
        log = self.log(project, environment)
        head = log.head()
        if head is None:
            if seen is not None:
                raise self._rewritten(log, project, environment, f"it had {seen.n} records and has none")
            return None
        n, facts = head
        if self.cache is None:
            return log.require(n)
        if seen is not None and seen.n == n and seen.tag == facts.tag and (content := self.cache.blob(seen.sha256)):
            self.cache.remember(self.store.identity, project, environment, msgspec.structs.replace(seen, seen=_now()))
            return log.decode(content, n)
        entry = log.require(n)
        if seen is not None:
            self._expect_continued(log, project, environment, seen, entry)
        self.cache.keep(entry.sha256, entry.content)
        now_seen = Head(n=n, sha256=entry.sha256, tag=facts.tag, seen=_now())
        self.cache.remember(self.store.identity, project, environment, now_seen)
        return entry

    def current(self, project: str, environment: str) -> Publication | None:
        """The publication that readers get now, or None before the first one."""
        entry = self.newest(project, environment)
        return None if entry is None else entry.record.publication_in(project, environment)

    def require(self, project: str, environment: str) -> Record:
        """The newest record. Raises UsageError saying which projects and environments there are."""
        return self.resolve(Selector(project=project, environment=environment)).record

    def resolve(self, selector: Selector) -> Entry:
        """The record after which readers got what is selected. Raises UsageError when there was no such one."""
        project, environment = selector.project, selector.environment
        newest = self.newest(project, environment)
        if newest is None:
            raise self._nothing(project, environment)
        if selector.is_current:
            return newest
        log = self.log(project, environment)
        if selector.n is not None and selector.n <= newest.record.n:
            return newest if selector.n == newest.record.n else log.require(selector.n)
        if selector.n is None:
            for entry in log.entries(newest):
                if _matches(entry.record, selector):
                    return entry
        raise UsageError(
            f"{selector} was never published",
            where=self.store.root,
            then=f"mesh history {project}@{environment} shows what was",
        )

    def pinned(self, project: str, environment: str, n: int, sha256: str) -> Entry:
        """Record n, whose bytes must have this sha256: from the cache without asking anybody, else from the log."""
        log = self.log(project, environment)
        content = self.cache.blob(sha256) if self.cache else None
        if content is not None:
            return log.decode(content, n)
        if self.offline:
            raise self._not_kept(f"{project}@{environment}#{n}")
        entry = log.require(n)
        if entry.sha256 != sha256:
            what = f"record {n} is not the one that is named by its hash, in mesh.lock or by the record after it"
            raise IntegrityError(what, where=log.place(n), then=INTEGRITY)
        if self.cache:
            self.cache.keep(sha256, entry.content)
        return entry

    def made_current(self, project: str, environment: str, newest: Entry) -> Entry:
        """The record that made current what readers get after `newest`, by the chain of hashes: from the cache where
        it has been read before, so that an approval or an expiry upon it costs nothing the second time.
        """
        entry = newest
        while entry.record.n > newest.record.made_current:
            entry = self.before(project, environment, entry)
        return entry

    def before(self, project: str, environment: str, entry: Entry) -> Entry:
        """The record before this one, which has to be the one that it names by its hash."""
        n, previous = entry.record.n, entry.record.previous
        if previous is None:
            where = self.log(project, environment).place(n)
            raise IntegrityError("it names no predecessor", where=where, then=INTEGRITY)
        return self.pinned(project, environment, n - 1, previous)

    def still_has(self, project: str, environment: str, n: int, sha256: str) -> bool:
        """Whether the log's record n has this sha256. Offline there is nobody to ask, and it has."""
        if self.offline:
            return True
        entry = self.log(project, environment).entry(n)
        return entry is not None and entry.sha256 == sha256

    def seen(self, project: str, environment: str) -> float | None:
        """How many seconds ago the log was last looked at, as far as the cache remembers."""
        head = self.cache.head(self.store.identity, project, environment) if self.cache else None
        return None if head is None else head.age

    def projects(self) -> list[str]:
        """Every project that has something in the registry."""
        return [name for name in filter(_is_project, self.store.folders("")) if self.environments(name)]

    def expect_known(self, project: str) -> None:
        """Raises UsageError saying what there is, for a project that has published nothing in any environment."""
        if not self.environments(project):
            raise self._nothing(project, "prod")

    def environments(self, project: str) -> list[str]:
        """Every environment in which the project has published."""
        return [env for env in self.folders_of(project) if self.store.first(layout.log_prefix(project, env))]

    def folders_of(self, project: str) -> list[str]:
        """Every environment in which the project has left anything, whether it was committed or not."""
        return list(filter(_is_environment, self.store.folders(f"{project}/")))

    def places(self, chosen: Sequence[Selector] = ()) -> list[tuple[str, str]]:
        """Each (project, environment) that is chosen; every one that there is where none is.

        Raises UsageError for one that nothing is known of, and for a selection within an environment.
        """
        for each in chosen:
            project, environment = each.project, each.environment
            if not each.is_current:
                what = f"{each} is one publication, and this is about all of them"
                raise UsageError(what, then=f"write {project}@{environment}")
            standing = next(iter(self.store.keys(f"{project}/{environment}/")), None)
            if standing is None and self.seen(project, environment) is None:
                raise self._nothing(project, environment)
        if chosen:
            return [(each.project, each.environment) for each in chosen]
        return [(project, environment) for project in self.projects() for environment in self.environments(project)]

    # -- what it holds ------------------------------------------------------------------------------------------------

    def interface(self, project: str, environment: str, record: Record) -> tuple[Interface, Publication]:
        """The interface that `record` makes current. Raises IntegrityError when its bytes are not the promised ones."""
        interface, _ = self.document(project, environment, record)
        return interface, record.publication_in(project, environment)

    def document(self, project: str, environment: str, record: Record) -> tuple[Interface, dict[str, Any]]:
        """The same interface, and the facts of the publication that stand in `metadata.mesh`."""
        content = self.file(project, environment, record, layout.MANIFEST)
        try:
            interface, facts = read_interface(content)
            interface.checked()
        except (msgspec.DecodeError, ValueError, RecursionError, UsageError) as error:
            raise self._damaged(project, environment, record, layout.MANIFEST, error) from None
        if interface.project != project or interface.digest != record.digest:
            raise IntegrityError("the interface is not the one that was recorded", where=self.store.root, then=_DAMAGED)
        return interface, facts

    def current_with_state(self, project: str, environment: str) -> tuple[Publication | None, bytes | None]:
        """The current publication and the owner's whole manifest of it; None for what there is not."""
        if self.offline and self.seen(project, environment) is None:
            return None, None  # whoever has never published has no head either
        entry = self.newest(project, environment)
        if entry is None:
            return None, None
        published = layout.STATE in entry.record.files
        state = self._packed(project, environment, entry.record, layout.STATE) if published else None
        return entry.record.publication_in(project, environment), state

    def usage(self, project: str, environment: str) -> Usage | None:
        """What the project said at its current publication that it reads; None before the first one."""
        entry = self.newest(project, environment)
        return None if entry is None else self.usage_at(project, environment, entry.record)

    def usage_at(self, project: str, environment: str, record: Record) -> Usage:
        """What the project said at the publication that `record` makes current."""
        content = self._packed(project, environment, record, layout.USAGE)
        try:
            return _USAGE.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._damaged(project, environment, record, layout.USAGE, error) from None

    def consumers(self, upstream: str) -> list[str]:
        """Who has said at a publication that it reads `upstream`."""
        prefix = layout.edge_key(upstream, "")
        return [name for key in self.store.keys(prefix) if _is_project(name := key[len(prefix) :])]

    def file(self, project: str, environment: str, record: Record, file: str) -> bytes:
        """A file of what `record` makes current, its bytes proven. Raises IntegrityError when they are others.

        Bytes that a network has bent are asked for again, a bounded number of times.
        """
        key = layout.history_key(project, environment, record.current, file)
        where = f"{self.store.root}/{key}"
        promised = record.files.get(file)
        if promised is None:
            raise IntegrityError(f"record {record.n} names a file that is not there", where=where, then=_DAMAGED)
        if self.cache and (content := self.cache.blob(promised.sha256)) is not None:
            return content
        if self.offline:
            raise self._not_kept(f"{project}@{environment}#{record.made_current}")
        found = False
        for _ in self.clock.tries(_READS):
            stored = self.store.get(key)
            found = stored is not None
            if stored is None or hashlib.sha256(stored.content).hexdigest() != promised.sha256:
                continue
            if self.cache:
                self.cache.keep(promised.sha256, stored.content)
            return stored.content
        if found:
            raise IntegrityError(f"its bytes are not those that record {record.n} names", where=where, then=_DAMAGED)
        self._expect_kept(project, environment, record)
        raise IntegrityError(f"record {record.n} names a file that is not there", where=where, then=_DAMAGED)

    def _packed(self, project: str, environment: str, record: Record, file: str) -> bytes:
        content = self.file(project, environment, record, file)
        try:
            return unpacked(content)
        except (zstandard.ZstdError, ValueError) as error:
            raise self._damaged(project, environment, record, file, error) from None

    def _expect_kept(self, project: str, environment: str, record: Record) -> None:
        """Say of a publication that was given up that it was, before anybody looks for damage."""
        log = self.log(project, environment)
        newest = log.newest()
        given_up = newest and log.expiry(newest, record.current, record.n)
        if given_up:
            raise UsageError(
                f"{record.current} is no longer kept since {given_up.time[:10]}",
                where=f"{project}@{environment}#{record.made_current}",
                then=f"mesh history {project}@{environment} shows what is; mesh sync moves a pin to what is current",
            )

    def _damaged(self, project: str, environment: str, record: Record, file: str, error: Exception) -> IntegrityError:
        key = layout.history_key(project, environment, record.current, file)
        noun = "an interface" if file == layout.MANIFEST else f"a readable {file}"
        return IntegrityError(f"not {noun}: {error}", where=f"{self.store.root}/{key}", then=_DAMAGED)

    # -- what was seen before -----------------------------------------------------------------------------------------

    def _remembered(self, project: str, environment: str, seen: Head | None) -> Entry | None:
        content = self.cache.blob(seen.sha256) if self.cache and seen else None
        if seen is None or content is None:
            raise self._not_kept(f"{project}@{environment}")
        return self.log(project, environment).decode(content, seen.n)

    def _expect_continued(self, log: Log, project: str, environment: str, seen: Head, now: Entry) -> None:
        """A log only grows: the record that was the newest is still there, byte for byte."""
        if now.record.n < seen.n:
            what = f"it had {seen.n} records and has {now.record.n}"
            raise self._rewritten(log, project, environment, what)
        then = now if now.record.n == seen.n else log.require(seen.n)
        if then.sha256 != seen.sha256:
            raise self._rewritten(log, project, environment, f"record {seen.n} has other bytes than it had")

    def _rewritten(self, log: Log, project: str, environment: str, what: str) -> IntegrityError:
        path = self.cache.head_path(self.store.identity, project, environment) if self.cache else None
        return IntegrityError(
            f"the log of {project}@{environment} was rewritten: {what}",
            where=log.place(0).rpartition("/")[0],
            then=f"find out who did; if the registry was replaced on purpose, rm {path} and delete mesh.lock",
        )

    def _not_kept(self, what: str) -> RegistryError:
        return RegistryError(
            f"{what} is not in the cache",
            where=str(self.cache and self.cache.folder),
            then="run without --offline once",
        )

    def _nothing(self, project: str, environment: str) -> UsageError:
        if environments := self.environments(project):
            return UsageError(
                f"{project} has published nothing in {environment!r}; there is {', '.join(environments)}",
                where=self.store.root,
                then=f"use --env {environments[0]}, or publish {project} in {environment!r} first",
            )
        return UsageError(
            f"{project} has published nothing{self._others()}",
            where=self.store.root,
            then=f"cd {project} && dbt build && publish_manifest --env {environment}",
        )

    def _others(self) -> str:
        """Who has published; a project's own role may not see more than its neighbours, and then nothing is said."""
        try:
            known = self.projects()
        except Forbidden:
            return ""
        return f"; there is {', '.join(known)}" if known else "; the registry is empty"


def _matches(record: Record, selector: Selector) -> bool:
    if selector.digest is not None:
        return record.digest.startswith(selector.digest)
    if selector.publication is not None:
        return record.current == selector.publication
    return selector.moment is not None and record.moment <= selector.moment


def _is_project(name: str) -> bool:
    """Whether it can be a project: keys that other hands put there lead to no path outside."""
    try:
        return bool(names.project_name(name))
    except UsageError:
        return False


def _is_environment(name: str) -> bool:
    try:
        return bool(names.environment_name(name))
    except UsageError:
        return False


def _now() -> float:
    return time.time()
