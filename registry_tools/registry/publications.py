"""A candidate in, its publication in the log out, on any store: the commit protocol's outer steps.

Until the record is in the log, readers see nothing of it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from registry_tools.errors import IntegrityError, OutcomeUnknown, Refusal, RegistryError
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.publication import FORMAT, Actor, Publication, Record, StoredFile
from registry_tools.mesh.usage import Usage
from registry_tools.registry import layout
from registry_tools.registry.log import Entry, Log
from registry_tools.registry.packing import packed
from registry_tools.registry.probes import require_conditions
from registry_tools.registry.reading import Reading

_REFRESHES: Final = 5
_SENDS: Final = 4
# A collector removes files that no record names after seven days (registry.collection), so whoever commits must not
# name files that are near that age; both ages are by the store's own clock.
OLDEST_FILE: Final = 24 * 3600
_LOOK_AGAIN: Final = 3600
_STALE: Final = "but the copy for plain readers could not be brought up to date"
_BUILD_AGAIN: Final = "run dbt build and publish again: a new manifest has an id of its own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What a project is about to publish. `state` is its whole manifest, packed already (registry.packing)."""

    project: str
    environment: str
    id: str
    generated_at: str
    interface: Interface
    usage: Usage
    state: bytes | None
    actor: Actor
    time: str

    def facts(self) -> dict[str, Any]:
        """What stands in `metadata.mesh` of the published interface."""
        return {
            "format": FORMAT,
            "environment": self.environment,
            "publication": self.id,
            "digest": self.interface.digest,
            "generated_at": self.generated_at,
        }


class Registry(Reading):
    """The registry on one store, to read and to publish to."""

    def publish(self, candidate: Candidate, check: Callable[[Record | None], None]) -> tuple[Publication, bool]:
        """Publish, and say whether this call did it; publishing what is already published changes nothing.

        `check` gets the record that readers have now and raises to decline; it is asked again whenever somebody else
        publishes in between. Raises Refusal for what was withdrawn or is older than what the registry keeps.
        """
        return _Publishing(self, candidate, check).run()

    def bring_latest(self, project: str, environment: str, record: Record) -> None:
        """Bring the plain readers' copy to what `record` makes current, as the registry itself has it."""
        interface, facts = self.document(project, environment, record)
        self.refresh_latest(project, environment, record, interface, facts)

    def refresh_latest(
        self, project: str, environment: str, record: Record, interface: Interface, facts: Mapping[str, Any]
    ) -> None:
        """Bring the plain readers' copy forward, never back: a slower publisher must not overwrite a newer one.

        A copy that says no number which it vouches for is read once more: only what stands there like that, and was
        not bent on its way, is replaced.
        """
        key, n = layout.latest_key(project, environment), record.made_current
        current = f"{project}@{environment}#{n} is current"
        content = document_bytes(interface, facts_of_copy(facts, n, record.time))
        for _ in self.clock.tries(_REFRESHES):
            standing = self.store.get(key)
            number = latest_number(standing.content) if standing else None
            if standing is not None and number is None and self.store.get(key) != standing:
                continue
            try:
                if standing is None:
                    done = self.store.create(key, content)
                else:
                    done = (number or 0) >= n or self.store.replace(key, content, standing.tag)
            except OutcomeUnknown:
                continue
            except RegistryError as error:  # whoever reads of a refusal alone would think that nothing was done
                then = f"run mesh fsck {project}@{environment} --repair as the role of {project}"
                raise RegistryError(
                    f"{current}, {_STALE}", where=error.where, details=[error.what], then=then
                ) from None
            if done:
                return
        raise OutcomeUnknown(
            f"{current}, {_STALE}",
            where=f"{self.store.root}/{key}",
            then="run the same again, or mesh fsck --repair",
        )


class _Publishing:
    """One candidate on its way into the log."""

    def __init__(self, registry: Registry, candidate: Candidate, check: Callable[[Record | None], None]) -> None:
        self._registry = registry
        self._store = registry.store
        self._log: Log = registry.log(candidate.project, candidate.environment)
        self._candidate = candidate
        self._check = check
        self._earlier: Entry | None = None

    def run(self) -> tuple[Publication, bool]:
        """The publication, and whether this run put it into the log."""
        base = self._log.newest()
        if base is not None and (earlier := self._already(base)):
            return self._published(earlier, base), False
        self._judge(base)
        files = _files(self._candidate)
        begun = self._registry.clock.elapsed()
        left = [name for name, content in files.items() if not self._create(self._key(name), content)]
        if left:
            if (newest := self._log.newest()) and (earlier := self._find(newest, None)):
                return self._published(earlier, newest), False
            self._expect_same(left, files)
        require_conditions(self._store, self._key(layout.USAGE), files[layout.USAGE], self._registry.clock)
        for upstream in self._candidate.usage.upstreams:
            self._create(layout.edge_key(upstream, self._candidate.project), b"")
        entry, mine = self._commit(base, files, begun)
        return self._published(entry if mine else self._earlier, entry), mine

    def _commit(self, base: Entry | None, files: Mapping[str, bytes], begun: float) -> tuple[Entry | None, bool]:
        stored = {name: StoredFile(size=len(c), sha256=hashlib.sha256(c).hexdigest()) for name, c in files.items()}

        def took_long() -> bool:
            return self._registry.clock.elapsed() - begun > _LOOK_AGAIN

        def make(newest: Entry | None) -> Record | None:
            if newest is not base:
                self._earlier = self._find(newest, base)
                if self._earlier is not None:
                    return None
                self._judge(newest)
            if took_long():
                self._expect_same(list(files), files)
            return _record(self._candidate, newest, stored)

        entry, mine = self._log.append(base, make)
        if mine and took_long():
            # Whoever stood still for days right before the commit may have named files that were collected meanwhile.
            for name, content in files.items():
                self._create(self._key(name), content)
        return entry, mine

    def _already(self, newest: Entry) -> Entry | None:
        """The record that published this candidate, where that can be told at once: it is the newest, or readers get
        what it made current, or it is so old that the log has to be asked whether it is still kept.
        """
        if self._is_ours(newest):
            return newest
        known = newest.record.current == self._candidate.id or self._is_beyond(newest.record)
        earlier = self._find(newest, None) if known else None
        given_up = earlier and self._log.expiry(newest, self._candidate.id, earlier.record.n)
        return None if given_up else earlier

    def _judge(self, newest: Entry | None) -> None:
        """Decline what readers must not get. Asked again upon every record that comes between."""
        current = newest.record if newest else None
        if current is not None and self._candidate.id in current.yanked:
            what = f"{self._candidate.id} was yanked: {current.yanked[self._candidate.id]}"
            raise Refusal(what, where=self._log.place(current.n), then=_BUILD_AGAIN)
        if current is not None and self._is_beyond(current):
            what = f"{self._candidate.id} is older than what is still kept"
            raise Refusal(what, where=self._log.place(current.n), then=_BUILD_AGAIN)
        self._check(current)

    def _is_beyond(self, current: Record) -> bool:
        return current.horizon is not None and self._candidate.id <= current.horizon

    def _find(self, newest: Entry | None, base: Entry | None) -> Entry | None:
        """The record that published this candidate, newer than `base`: another run of the same job was there."""
        records = self._log.since(newest, base.record.n if base else 0) if newest else ()
        return next(filter(self._is_ours, records), None)

    def _is_ours(self, entry: Entry) -> bool:
        return entry.record.op == "publish" and entry.record.publication == self._candidate.id

    def _create(self, key: str, content: bytes) -> bool:
        """Put an object; False when there is one already, which an unanswered request of ours may have put there."""
        for _ in self._registry.clock.tries(_SENDS):
            try:
                return self._store.create(key, content)
            except OutcomeUnknown:
                if self._store.get(key) is not None:
                    return False
        raise OutcomeUnknown("the registry does not answer", where=f"{self._store.root}/{key}", then="publish again")

    def _expect_same(self, names: list[str], files: Mapping[str, bytes]) -> None:
        """Files that an earlier run left before it could commit must be ours, and be there long enough to be named."""
        for name in names:
            key = self._key(name)
            standing, facts = self._store.get(key), self._store.head(key)
            where = f"{self._store.root}/{key}"
            if standing is None or standing.content != files[name]:
                what = "another file stands under this publication's id" if standing else "this file is gone"
                raise IntegrityError(what, where=where, then=_BUILD_AGAIN)
            if facts is None or facts.age > OLDEST_FILE:
                raise Refusal("an earlier run left this file more than a day ago", where=where, then=_BUILD_AGAIN)

    def _published(self, ours: Entry | None, newest: Entry | None) -> Publication:
        """The candidate's publication; plain readers' copy brought up to date where the candidate is what they get."""
        if ours is None or newest is None:
            raise IntegrityError("the log is empty after a publication", where=self._log.place(1), then=_BUILD_AGAIN)
        if newest.record.current == self._candidate.id:
            candidate = self._candidate
            self._registry.refresh_latest(
                candidate.project, candidate.environment, newest.record, candidate.interface, candidate.facts()
            )
        return ours.record.publication_in(self._candidate.project, self._candidate.environment)

    def _key(self, name: str) -> str:
        return layout.history_key(self._candidate.project, self._candidate.environment, self._candidate.id, name)


def _files(candidate: Candidate) -> dict[str, bytes]:
    files = {
        layout.MANIFEST: document_bytes(candidate.interface, candidate.facts()),
        layout.USAGE: packed(msgspec.json.encode(candidate.usage)),
    }
    if candidate.state is not None:
        files[layout.STATE] = candidate.state
    return files


def _record(candidate: Candidate, base: Entry | None, files: Mapping[str, StoredFile]) -> Record:
    id_, actor, time = candidate.id, candidate.actor, candidate.time
    made: dict[str, Any] = {"current": id_, "digest": candidate.interface.digest, "files": dict(files)}
    if base is not None:
        return base.followed_by("publish", id_, actor, time, since=None, **made)
    return Record(format=FORMAT, n=1, previous=None, op="publish", publication=id_, actor=actor, time=time, **made)


def document_bytes(interface: Interface, facts: Mapping[str, Any]) -> bytes:
    """The published document: a manifest of the interface with the publication's facts."""
    return msgspec.json.encode(interface.to_manifest(facts))


def facts_of_copy(facts: Mapping[str, Any], n: int, time: str) -> dict[str, Any]:
    """The publication's facts as they stand in the plain readers' copy: since which record it is current, and when
    that was, with a seal upon both, because no record promises the copy's bytes.
    """
    seal = hashlib.sha256(f"{facts.get('publication')} {n} {time}".encode()).hexdigest()
    return {**facts, "n": n, "published_at": time, "seal": seal}


def facts_without_copy(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as they stand in the published document itself."""
    return {name: fact for name, fact in facts.items() if name not in {"n", "published_at", "seal"}}


class _Latest(msgspec.Struct):
    class Metadata(msgspec.Struct):
        class Mesh(msgspec.Struct):
            publication: str
            n: int
            published_at: str
            seal: str

        mesh: Mesh

    metadata: Metadata


# Made once and here, because readers run in threads (see mesh.interface).
_LATEST: Final = msgspec.json.Decoder(_Latest)


def latest_number(latest: bytes) -> int | None:
    """The number that the plain readers' copy says it is of; None where it is not ours or was bent."""
    try:
        mesh = _LATEST.decode(latest).metadata.mesh
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    expected = facts_of_copy({"publication": mesh.publication}, mesh.n, mesh.published_at)
    return mesh.n if mesh.seal == expected["seal"] else None
