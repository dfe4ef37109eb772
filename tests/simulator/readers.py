"""Who reads a registry: through the product in every way there is, with a cache or without, or the plain copy alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from registry_tools.errors import MeshError, UsageError
from registry_tools.registry.cache import Cache, Head
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.simulator.client import Client, Crash
from tests.simulator.committed import expect

if TYPE_CHECKING:
    from tests.simulator.history import History


class MachineCache(Cache):
    """The cache of one machine, in memory: a folder would cost a history more than everything else."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self._blobs: dict[str, bytes] = {}
        self._heads: dict[tuple[str, str, str], Head] = {}

    def blob(self, sha256: str) -> bytes | None:
        """See Cache."""
        return self._blobs.get(sha256)

    def keep(self, sha256: str, content: bytes) -> None:
        """See Cache."""
        self._blobs[sha256] = content

    def head(self, store: str, project: str, environment: str) -> Head | None:
        """See Cache."""
        return self._heads.get((store, project, environment))

    def remember(self, store: str, project: str, environment: str, head: Head) -> None:
        """See Cache."""
        self._heads[store, project, environment] = head


class Reader:
    """Somebody who reads, again and again; what fails for a reason is not read again."""

    def __init__(self, history: "History", reads: int, cache: MachineCache | None) -> None:
        self._history = history
        self._witness = history.witness
        self._reads = reads
        self._cache = cache

    def __call__(self) -> None:
        """So many reads."""
        ways = (self._interface, self._current, self._state, self._usage, self._pin, self._plain)
        for _ in range(self._reads):
            client = self._history.client()
            self._read(ways[self._history.below(len(ways))], client, self._history.registry(client, self._cache))
            self._history.schedule.wait(self._history.rest())

    def _read(self, way: Callable[[Client, Registry], None], client: Client, registry: Registry) -> None:
        try:
            way(client, registry)
        except (Crash, MeshError) as error:
            expect(client.suffered or isinstance(error, Crash), "a reader fails without any fault: {}", error)
            self._history.note("read", "fails", f"{type(error).__name__}: {getattr(error, 'what', '')}")

    def _interface(self, _client: Client, registry: Registry) -> None:
        since, call = self._witness.floor, self._history.begins("read")
        try:
            record = registry.require(PROJECT, ENVIRONMENT)
        except UsageError:
            self._history.returns(call, self._witness.read(since, None))
            return
        interface, publication = registry.interface(PROJECT, ENVIRONMENT, record)
        answer = self._witness.read(since, publication)
        self._witness.read_interface(interface, publication)
        self._history.returns(call, answer)

    def _current(self, _client: Client, registry: Registry) -> None:
        since, call = self._witness.floor, self._history.begins("read")
        self._history.returns(call, self._witness.read(since, registry.current(PROJECT, ENVIRONMENT)))

    def _state(self, _client: Client, registry: Registry) -> None:
        since, call = self._witness.floor, self._history.begins("read")
        publication, state = registry.current_with_state(PROJECT, ENVIRONMENT)
        answer = self._witness.read(since, publication)
        self._witness.read_state(state, publication)
        self._history.returns(call, answer)

    def _usage(self, _client: Client, registry: Registry) -> None:
        since = self._witness.floor
        self._witness.read_usage(since, registry.usage(PROJECT, ENVIRONMENT))

    def _pin(self, _client: Client, registry: Registry) -> None:
        """Whoever has a lock gets what it names as long as it is kept."""
        if not self._witness.log:
            return
        pin = self._witness.log[self._history.below(len(self._witness.log))]
        try:
            entry = registry.pinned(PROJECT, ENVIRONMENT, pin.n, pin.sha256)
            interface, publication = registry.interface(PROJECT, ENVIRONMENT, entry.record)
        except MeshError:
            if pin.current not in self._witness.expired:
                raise
            return
        expect(publication.id == pin.current, "who pinned {} gets {}", pin.current, publication.id)
        self._witness.read_interface(interface, publication)

    def _plain(self, client: Client, _registry: Registry) -> None:
        since = self._witness.latest
        stored = client.get(LATEST)
        if not client.damaged:  # nobody checks digests there, so this promise is the store's alone
            self._witness.read_plain(since, stored.content if stored else None)
