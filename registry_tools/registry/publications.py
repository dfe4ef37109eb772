"""Publications in, publications out, on any store: the commit protocol's outer steps and every checked read."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import zstandard

from registry_tools.errors import IntegrityError, OutcomeUnknown, UsageError
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.publication import FORMAT, Actor, Publication, Record, StoredFile
from registry_tools.mesh.usage import Usage
from registry_tools.registry import layout
from registry_tools.registry.log import Entry, Log
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.patience import Pause, tries

_LEVEL: Final = 3  # as small as gzip -6 and nine times as fast on a manifest
_MAX_UNPACKED: Final = 1 << 30
_REFRESHES: Final = 5
_SENDS: Final = 4
_DAMAGED: Final = "publish the project again; if it happens again, find out who writes to the registry"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What a project is about to publish."""

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


class Registry:
    """The registry on one store."""

    def __init__(self, store: ObjectStore, pause: Pause = time.sleep) -> None:
        self.store = store
        self._pause = pause

    # -- reading ------------------------------------------------------------------------------------------------------

    def current(self, project: str, environment: str) -> Publication | None:
        """The publication that readers get now, or None before the first one."""
        entry = Log(self.store, project, environment).newest()
        return None if entry is None else _publication(project, environment, entry.record)

    def require(self, project: str, environment: str) -> Record:
        """The newest record. Raises UsageError saying which projects and environments there are."""
        entry = Log(self.store, project, environment).newest()
        if entry is not None:
            return entry.record
        if environments := self.environments(project):
            raise UsageError(
                f"{project} has published nothing in {environment!r}; there is {', '.join(environments)}",
                where=self.store.root,
                then=f"use --env {environments[0]}, or publish {project} in {environment!r} first",
            )
        known = self.projects()
        raise UsageError(
            f"{project} has published nothing; "
            + (f"there is {', '.join(known)}" if known else "the registry is empty"),
            where=self.store.root,
            then=f"cd {project} && dbt build && publish_manifest --env {environment}",
        )

    def projects(self) -> list[str]:
        """Every project that has something in the registry."""
        found = (name for name in self.store.folders("") if not name.startswith("_"))
        return [name for name in found if self.environments(name)]

    def environments(self, project: str) -> list[str]:
        """Every environment in which the project has published."""
        found = self.store.folders(f"{project}/")
        return [environment for environment in found if self.store.first(layout.log_prefix(project, environment))]

    def interface(self, project: str, environment: str, record: Record) -> tuple[Interface, Publication]:
        """The interface that `record` makes current. Raises IntegrityError when its bytes are not the promised ones."""
        content = self._file(project, environment, record, layout.MANIFEST)
        try:
            interface, _ = read_interface(content)
            interface.checked()
        except (msgspec.DecodeError, ValueError, RecursionError, UsageError) as error:
            raise self._damaged(project, environment, record, layout.MANIFEST, error) from None
        if interface.project != project or interface.digest != record.digest:
            raise IntegrityError("the interface is not the one that was recorded", where=self.store.root, then=_DAMAGED)
        return interface, _publication(project, environment, record)

    def current_with_state(self, project: str, environment: str) -> tuple[Publication | None, bytes | None]:
        """The current publication and the owner's whole manifest of it; None for what there is not."""
        entry = Log(self.store, project, environment).newest()
        if entry is None:
            return None, None
        published = layout.STATE in entry.record.files
        state = self._packed(project, environment, entry.record, layout.STATE) if published else None
        return _publication(project, environment, entry.record), state

    def usage(self, project: str, environment: str) -> Usage | None:
        """What the project's current publication reads of others."""
        entry = Log(self.store, project, environment).newest()
        if entry is None or layout.USAGE not in entry.record.files:
            return None
        content = self._packed(project, environment, entry.record, layout.USAGE)
        try:
            return _USAGE.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._damaged(project, environment, entry.record, layout.USAGE, error) from None

    def consumers(self, upstream: str) -> list[str]:
        """Who has said at a publication that it reads `upstream`."""
        prefix = layout.edge_key(upstream, "")
        return [key[len(prefix) :] for key in self.store.keys(prefix)]

    def _packed(self, project: str, environment: str, record: Record, file: str) -> bytes:
        content = self._file(project, environment, record, file)
        try:
            return _unpack(content)
        except (zstandard.ZstdError, ValueError) as error:
            raise self._damaged(project, environment, record, file, error) from None

    def _damaged(self, project: str, environment: str, record: Record, file: str, error: Exception) -> IntegrityError:
        key = layout.history_key(project, environment, record.current, file)
        noun = "an interface" if file == layout.MANIFEST else f"a readable {file}"
        return IntegrityError(f"not {noun}: {error}", where=f"{self.store.root}/{key}", then=_DAMAGED)

    def _file(self, project: str, environment: str, record: Record, file: str) -> bytes:
        key = layout.history_key(project, environment, record.current, file)
        promised, stored = record.files.get(file), self.store.get(key)
        where = f"{self.store.root}/{key}"
        if promised is None or stored is None:
            raise IntegrityError(f"record {record.n} names a file that is not there", where=where, then=_DAMAGED)
        if len(stored.content) != promised.size or hashlib.sha256(stored.content).hexdigest() != promised.sha256:
            raise IntegrityError(f"its bytes are not those that record {record.n} names", where=where, then=_DAMAGED)
        return stored.content

    # -- publishing ---------------------------------------------------------------------------------------------------

    def publish(self, candidate: Candidate, check: Callable[[Record | None], None]) -> tuple[Publication, bool]:
        """Publish, and say whether this call did it; publishing what is already published changes nothing.

        `check` gets the record that readers have now and raises to decline; it is asked again whenever somebody else
        publishes in between. Until the record is in the log, readers see nothing of this publication.
        """
        log = Log(self.store, candidate.project, candidate.environment, self._pause)
        base = log.newest()
        if base is not None and base.record.publication == candidate.id and base.record.op == "publish":
            return self._published(candidate, base), False
        check(base.record if base else None)
        files = _files(candidate)
        fresh = [self._create(_key(candidate, name), content) for name, content in files.items()]
        if not all(fresh):
            if earlier := _find(log, candidate.id):
                return self._published(candidate, earlier), False
            self._expect_files(candidate, files)
        for upstream in candidate.usage.upstreams:
            self._create(layout.edge_key(upstream, candidate.project), b"")
        stored = {name: StoredFile(size=len(c), sha256=hashlib.sha256(c).hexdigest()) for name, c in files.items()}

        def make(newest: Entry | None) -> Record:
            if newest is not base:
                check(newest.record if newest else None)
            return _record(candidate, newest, stored)

        entry, mine = log.append(base, make)
        return self._published(candidate, entry), mine

    def _create(self, key: str, content: bytes) -> bool:
        """Put an object; False when there is one already, which an unanswered request of ours may have put there."""
        for _ in tries(_SENDS, self._pause):
            try:
                return self.store.create(key, content)
            except OutcomeUnknown:
                if self.store.get(key) is not None:
                    return False
        raise OutcomeUnknown("the registry does not answer", where=f"{self.store.root}/{key}", then="publish again")

    def _expect_files(self, candidate: Candidate, files: Mapping[str, bytes]) -> None:
        """What an earlier run left behind before it could commit must be what we would commit."""
        for file, content in files.items():
            key = _key(candidate, file)
            standing = self.store.get(key)
            if standing is None or standing.content != content:
                raise IntegrityError(
                    "another file stands under this publication's id",
                    where=f"{self.store.root}/{key}",
                    then="build again and publish: a new manifest has an id of its own",
                )

    def _published(self, candidate: Candidate, entry: Entry) -> Publication:
        if entry.record.current == candidate.id:
            self._refresh_latest(candidate, entry.record)
        return _publication(candidate.project, candidate.environment, entry.record)

    def _refresh_latest(self, candidate: Candidate, record: Record) -> None:
        """Bring the plain readers' copy forward, never back: a slower publisher must not overwrite a newer one."""
        key = layout.latest_key(candidate.project, candidate.environment)
        content = _document(candidate.interface, candidate.facts() | {"n": record.n, "published_at": record.time})
        for _ in tries(_REFRESHES, self._pause):
            standing = self.store.get(key)
            try:
                if standing is None:
                    done = self.store.create(key, content)
                else:
                    done = _number(standing.content) >= record.n or self.store.replace(key, content, standing.tag)
            except OutcomeUnknown:
                continue
            if done:
                return
        raise OutcomeUnknown(
            f"{candidate.id} is published, but the copy for plain readers could not be brought up to date",
            where=f"{self.store.root}/{key}",
            then="publish again",
        )


def _key(candidate: Candidate, file: str) -> str:
    return layout.history_key(candidate.project, candidate.environment, candidate.id, file)


def _files(candidate: Candidate) -> dict[str, bytes]:
    files = {
        layout.MANIFEST: _document(candidate.interface, candidate.facts()),
        layout.USAGE: _pack(msgspec.json.encode(candidate.usage)),
    }
    if candidate.state is not None:
        files[layout.STATE] = _pack(candidate.state)
    return files


def _record(candidate: Candidate, base: Entry | None, files: Mapping[str, StoredFile]) -> Record:
    return Record(
        format=FORMAT,
        n=base.record.n + 1 if base else 1,
        previous=base.sha256 if base else None,
        op="publish",
        publication=candidate.id,
        actor=candidate.actor,
        time=candidate.time,
        current=candidate.id,
        digest=candidate.interface.digest,
        files=dict(files),
    )


def _find(log: Log, publication: str) -> Entry | None:
    """The record that published it, if one did: files that were there already may be an earlier run's of ours."""
    return next((e for e in log.entries() if e.record.publication == publication and e.record.op == "publish"), None)


def _publication(project: str, environment: str, record: Record) -> Publication:
    return Publication(
        project=project,
        environment=environment,
        id=record.current,
        n=record.n,
        digest=record.digest,
        published_at=record.time,
        actor=record.actor,
    )


def _document(interface: Interface, facts: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(interface.to_manifest(facts))


class _Latest(msgspec.Struct):
    class Metadata(msgspec.Struct):
        class Mesh(msgspec.Struct):
            n: int = 0

        mesh: Mesh

    metadata: Metadata


# Made once and here, because readers run in threads (see mesh.interface).
_LATEST: Final = msgspec.json.Decoder(_Latest)
_USAGE: Final = msgspec.json.Decoder(Usage)


def _number(latest: bytes) -> int:
    try:
        return _LATEST.decode(latest).metadata.mesh.n
    except msgspec.DecodeError:
        return 0  # not ours, or torn by other hands: whatever stands there is older than what we bring


def _pack(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(content)


def _unpack(content: bytes) -> bytes:
    # max_output_size is not looked at when the frame says its size itself
    if zstandard.frame_content_size(content) > _MAX_UNPACKED:
        raise ValueError(f"more than {_MAX_UNPACKED:,} bytes")
    return zstandard.ZstdDecompressor().decompress(content, max_output_size=_MAX_UNPACKED)
