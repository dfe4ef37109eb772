"""Publishers, competitors, crashes and late writes in any order hypothesis thinks of, against a list."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry_tools.errors import OutcomeUnknown
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.faults import Crash, Fault, FaultyStore
from tests.registry.publishing import assert_sound, latest, moment, publication_id, publish, published, records

# Mostly nothing happens; sends that stay unanswered are few enough not to be given up by chance alone.
fates = st.lists(st.sampled_from([Fault.NONE] * 6 + [f for f in Fault if f is not Fault.NONE]), max_size=9)
old_or_new = st.integers(0, 7)


class Mesh(RuleBasedStateMachine):
    """`log` is what the registry's log must be; what is in doubt after a fault is looked up and then fixed."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.log: list[str] = []
        self.doubtful: set[str] = set()
        self.on_their_way: list[FaultyStore] = []
        self.latest_was = 0
        self.attempts = 0
        self.claimed: set[str] = set()

    @rule(k=old_or_new, fates=fates, rivals=st.lists(old_or_new, max_size=3), before=st.integers(0, 8))
    def publish(self, k: int, fates: list[Fault], rivals: list[int], before: int) -> None:
        """Publish k; just before its `before`-th write, the rivals publish too."""
        waiting = list(rivals)

        def plan(n: int, _key: str) -> Fault:
            while n == before and waiting:
                self._commit(waiting.pop(0), self.store)
            return fates[n] if n < len(fates) else Fault.NONE

        faulty = FaultyStore(self.store, plan)
        self.on_their_way.append(faulty)
        self._commit(k, faulty)

    @rule()
    def land(self) -> None:
        while self.on_their_way:
            self.on_their_way.pop(0).land()
        self._settle()

    @rule(k=old_or_new)
    def run_again_without_faults(self, k: int) -> None:
        self.doubtful.add(publication_id(k))
        publication, _ = publish(self.store, k)
        self._settle()
        assert self.log[publication.n - 1] == publication.id
        if publication.n == len(self.log):
            assert latest(self.store) == (publication.id, publication.n)

    @invariant()
    def the_log_is_the_list(self) -> None:
        self._settle()
        assert_sound(self.store)
        assert published(self.store) == self.log

    @invariant()
    def readers_get_the_newest_and_plain_readers_never_an_older_one_than_before(self) -> None:
        self._settle()
        current = Registry(self.store).current(PROJECT, ENVIRONMENT)
        assert (current.id if current else None) == (self.log[-1] if self.log else None)
        now = latest(self.store)
        assert (now is None) == (self.store.get(LATEST) is None)
        number = now[1] if now else 0
        assert number >= self.latest_was
        self.latest_was = number

    def _commit(self, k: int, store: MemoryStore | FaultyStore) -> None:
        self.doubtful.add(publication_id(k))
        self.attempts += 1
        try:
            publication, is_new = publish(store, k, time=moment(self.attempts))
        except (Crash, OutcomeUnknown):
            return
        stands = published(self.store)
        assert stands[publication.n - 1] == publication_id(k)  # an answered publication is in the log
        assert not is_new or publication_id(k) not in self.claimed  # and only one run says that it put it there
        self.claimed |= {publication_id(k)} if is_new else set()
        self._settle()

    def _settle(self) -> None:
        """The log may only have grown, and only by what somebody tried to publish."""
        stands = published(self.store)
        assert stands[: len(self.log)] == self.log
        assert set(stands[len(self.log) :]) <= self.doubtful
        assert [record.n for record in records(self.store)] == list(range(1, len(stands) + 1))
        self.log = stands


TestMesh = Mesh.TestCase
TestMesh.settings = settings(max_examples=200, stateful_step_count=12, deadline=None, derandomize=True, database=None)
