"""The mistakes that a registry on an object store can make, each as a line or two of the product that are wrong.

They are those of Delta, SlateDB, Terraform and others, and our own: what the protocol is careful about, left out.
"""

from typing import Any, Final

from registry_tools.registry import amendments, collection, publications
from registry_tools.registry.log import Log
from registry_tools.registry.publications import Registry
from registry_tools.registry.reading import Reading
from tests.simulator.mutants import Edit, Mutant

_Publishing: Final = publications._Publishing  # where most of the protocol stands

_NEXT_NUMBER: Final = """\
n += 1
key = layout.log_key(self._project, self._environment, n)
content = encode_record(msgspec.structs.replace(_DECODER.decode(content), n=n))
continue"""
_DELETE_RECORD: Final = """\
if there.record.n > 1 and (old := self._store.head(layout.log_key(self._project, self._environment, 1))):
    self._store.delete(old.key, old.tag)
return there, True"""
_TRUST_HEAD: Final = """\
if seen is not None and (content := self.cache.blob(seen.sha256)):
    return log.decode(content, seen.n)
head = log.head()"""
_FILES_AFTERWARDS: Final = """\
entry, mine = self._commit(base, files, begun)
for name, content in files.items():
    self._create(self._key(name), content)"""
_CLEAN_UP: Final = """\
try:
    entry, mine = self._log.append(base, make)
except OutcomeUnknown:
    for name in files:
        if facts := self._store.head(self._key(name)):
            self._store.delete(facts.key, facts.tag)
    raise"""
_CHECK_ONCE: Final = '"checked" in vars(registry) or vars(registry).update(checked=check(record, after) or True)'


def _mutant(name: str, *edits: tuple[Any, str, str, str]) -> Mutant:
    return Mutant(name, tuple(Edit(*edit) for edit in edits))


_COMMITTING: Final = (
    _mutant(
        "the record is put without If-None-Match",
        (Log, "_place_record", "self._store.create(key, content)", "self._store.overwrite(key, content)"),
    ),
    _mutant(
        "412 on the record is taken as lost",
        (Log, "_place_record", "return standing.content == content", "return False"),
        (_Publishing, "_commit", "self._earlier = self._find(newest, base)", "self._earlier = None"),
    ),
    _mutant(
        "the next number after an unknown outcome",
        (Log, "_place_record", "standing = self._store.get(key)", _NEXT_NUMBER),
    ),
    _mutant(
        "bytes that the network sent twice are taken for another's",
        (Log, "_place_record", "return standing.content == content", "return False"),
    ),
    _mutant(
        "no search for one's own id when files are there",
        (_Publishing, "run", "and (earlier := self._find(newest, None))", "and (earlier := None)"),
    ),
    _mutant(
        "no search for one's own id above the record that was lost to",
        (_Publishing, "_commit", "self._earlier = self._find(newest, base)", "self._earlier = None"),
    ),
    _mutant(
        "the record is committed before the files",
        (_Publishing, "run", "for name, content in files.items() if not", "for name, content in () if not"),
        (_Publishing, "run", "entry, mine = self._commit(base, files, begun)", _FILES_AFTERWARDS),
    ),
    _mutant(
        "an unanswered file is taken for stored",
        (_Publishing, "_create", "if self._store.get(key) is not None:", "if True:"),
        (_Publishing, "_create", "return False", "return True"),
    ),
    _mutant(
        "files of another build are taken for one's own",
        (_Publishing, "run", "self._expect_same(left, files)", "pass"),
    ),
    _mutant(
        "a consumer is not entered at its upstreams before it commits",
        (_Publishing, "run", "for upstream in self._candidate.usage.upstreams:", "for upstream in ():"),
    ),
    _mutant(
        "files are cleaned up after an unknown outcome",
        (_Publishing, "_commit", "entry, mine = self._log.append(base, make)", _CLEAN_UP),
    ),
    _mutant(
        "a publication is not judged again on a new base",
        (_Publishing, "_commit", "self._judge(newest)", "pass"),
    ),
    _mutant(
        "a publication forgets what was withdrawn",
        (publications, "_record", "since=None, **made", "since=None, yanked={}, **made"),
    ),
    _mutant(
        "old records are deleted",
        (Log, "append", "return there, True", _DELETE_RECORD),
    ),
)
_READING: Final = (
    _mutant(
        "nobody looks at a record's seal",
        (Log, "entry", "or is_sealed(stored.content)", "or True"),
        (Log, "decode", "if not is_sealed(content):", "if False:"),
    ),
    _mutant(
        "the reader verifies no digest",
        (Reading, "file", "or hashlib.sha256(stored.content).hexdigest() != promised.sha256:", "or False:"),
    ),
    _mutant(
        "the reader's head is never asked for again",
        (Reading, "newest", "head = log.head()", _TRUST_HEAD),
    ),
    _mutant(
        "the plain readers' copy is replaced whatever its number",
        (Registry, "refresh_latest", "(number or 0) >= n or ", ""),
    ),
    _mutant(
        "a copy for plain readers that was bent on its way is replaced at once",
        (Registry, "refresh_latest", "self.store.get(key) != standing:", "False:"),
    ),
    _mutant(
        "the plain readers' copy is replaced without If-Match",
        (
            Registry,
            "refresh_latest",
            "self.store.replace(key, content, standing.tag)",
            "self.store.overwrite(key, content)",
        ),
    ),
    _mutant(
        "a publication found in the log leaves the plain readers' copy as it is",
        (
            _Publishing,
            "_published",
            "newest.record.current == self._candidate.id",
            "ours.record.time == self._candidate.time",
        ),
    ),
    _mutant(
        "an amendment leaves the plain readers' copy as it is",
        (amendments, "_amend", "registry.bring_latest(project, environment, record)", "pass"),
    ),
)
_AMENDING: Final = (
    _mutant(
        "a rollback is not judged again on a new base",
        (amendments, "roll_back", "check(record, after)", _CHECK_ONCE),
    ),
    _mutant(
        "a rollback leads to what was withdrawn",
        (amendments, "roll_back", "if wanted.current in record.yanked:", "if False:"),
    ),
    _mutant(
        "a rollback leads to what was given up",
        (amendments, "roll_back", "_expect_kept(log, newest, wanted, _choose(amendment))", "pass"),
    ),
    _mutant(
        "a rollback to what is current is written all the same",
        (amendments, "roll_back", "if record.current == wanted.current:", "if False:"),
    ),
    _mutant(
        "what was withdrawn stays current",
        (amendments, "yank", "if record.current == wanted else None", "if False else None"),
    ),
    _mutant(
        "a withdrawal leads to what was given up",
        (amendments, "_before", "gone |= set(entry.record.expired)", "pass"),
    ),
)
_COLLECTING: Final = (
    _mutant(
        "what was given up is deleted without grace",
        (collection, "plan_collection", "given_up[publication]) < GRACE:", "given_up[publication]) < 0:"),
    ),
    _mutant(
        "files without a record are deleted without grace",
        (collection, "_ripe", "or facts.age >= GRACE", "or True"),
    ),
    _mutant(
        "the grace is shorter than a publish that stood still, and nobody looks at ages",
        (collection, "_ripe", "facts.age >= GRACE", "facts.age >= 3600"),
        (_Publishing, "_expect_same", "facts.age > OLDEST_FILE", "False"),
        (_Publishing, "_commit", "self._registry.clock.elapsed() - begun > _LOOK_AGAIN", "False"),
    ),
    _mutant(
        "a publisher that stood still for days does not look again",
        (_Publishing, "_commit", "self._registry.clock.elapsed() - begun > _LOOK_AGAIN", "False"),
    ),
    _mutant(
        "what a consumer has pinned is given up",
        (collection, "plan_collection", "{*pinned, *given_up}", "{*given_up}"),
    ),
    _mutant(
        "what became current meanwhile is given up",
        (collection, "_record_expiry", "taken = {*_readable(entries), *(", "taken = {*("),
    ),
    _mutant(
        "an old job publishes again what was given up",
        (_Publishing, "_is_beyond", "return current.horizon is not None and", "return False and"),
    ),
)

MUTANTS: Final = (*_COMMITTING, *_READING, *_AMENDING, *_COLLECTING)
