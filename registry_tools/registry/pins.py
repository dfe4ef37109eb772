"""An upstream and its pin in mesh.lock in, what the consumer gets of it out: what is pinned, or what is current, and
of that what the consumer may read.

A log only grows, so a pin that it contradicts says that the log was rewritten.
"""

from collections.abc import Sequence
from typing import Final

from registry_tools.errors import DocumentError, IntegrityError, UsageError
from registry_tools.mesh.lock import Pin
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.upstream import SyncedUpstream, Upstream
from registry_tools.registry.log import Entry
from registry_tools.registry.reading import Reading

_ANEW: Final = "run mesh sync without --locked, which writes it anew"


def read_pinned(registry: Reading, consumer: str, upstream: Upstream, pin: Pin) -> SyncedUpstream:
    """What mesh.lock names, even when it was withdrawn since: whoever pinned it goes on with a warning.

    Raises DocumentError for a pin that contradicts the record which it names.
    """
    record = registry.pinned(upstream.name, pin.environment, pin.n, pin.record).record
    if (record.current, record.digest) != (pin.publication, pin.digest):
        raise DocumentError(
            f"it pins {pin.publication}, and record {pin.n} that it names is about {record.current}",
            where=f"mesh.lock: upstreams.{upstream.name}",
            then=_ANEW,
        )
    interface, publication = registry.interface(upstream.name, pin.environment, record)
    granted, withheld = interface.granted_to(consumer)
    newest = registry.newest(upstream.name, pin.environment)
    return SyncedUpstream(
        upstream=upstream,
        publication=publication,
        published=interface,
        interface=upstream.seen(granted),
        pin=pin,
        before=pin,
        withheld=withheld,
        yanked=newest.record.yanked.get(pin.publication) if newest else None,
    )


def read_current(
    registry: Reading, consumer: str, upstream: Upstream, environments: Sequence[str], before: Pin | None
) -> SyncedUpstream:
    """What upstream has published last in the first of `environments` in which it has published, and its new pin.

    Raises UsageError where it has published in none, and IntegrityError when the log went back behind `before`. What
    cannot be read is never taken for what was not published.
    """
    environment, entry = first_published(registry, upstream.name, environments)
    now = registry.made_current(upstream.name, environment, entry)
    interface, publication = registry.interface(upstream.name, environment, entry.record)
    if before is not None and before.environment == environment:
        _expect_forward(before, publication, now, registry)
    granted, withheld = interface.granted_to(consumer)
    return SyncedUpstream(
        upstream=upstream,
        publication=publication,
        published=interface,
        interface=upstream.seen(granted),
        pin=_pin(publication, now.sha256),
        before=before,
        passed_over=tuple(environments[: environments.index(environment)]),
        withheld=withheld,
    )


def read_as_locked(
    registry: Reading, consumer: str, upstream: Upstream, environments: Sequence[str], pin: Pin | None
) -> SyncedUpstream:
    """What is pinned, where it is pinned in one of these environments, else what is current."""
    if pin is not None and pin.environment in environments:
        return read_pinned(registry, consumer, upstream, pin)
    return read_current(registry, consumer, upstream, environments, pin)


def first_published(registry: Reading, project: str, environments: Sequence[str]) -> tuple[str, Entry]:
    """The first of `environments` in which the project has published, and its newest record there.

    Raises UsageError where it has published in none. Offline, what this machine has never seen published was not.
    """
    *others, last = environments
    for environment in others:
        unseen = registry.offline and registry.seen(project, environment) is None
        entry = None if unseen else registry.newest(project, environment)
        if entry is not None:
            return environment, entry
    try:
        return last, registry.resolve(Selector(project=project, environment=last))
    except UsageError as error:
        also = [f"nor has it in {environment}, which comes before" for environment in others]
        raise UsageError(error.what, where=error.where, details=also, then=error.then) from None


def _expect_forward(before: Pin, now: Publication, made_by: Entry, registry: Reading) -> None:
    """A log only grows: one that went back, or says something else at the same number, was rewritten or replaced."""
    if now.n == before.n:
        continues = _pin(now, made_by.sha256) == before
    else:
        continues = now.n > before.n and registry.still_has(now.project, now.environment, before.n, before.record)
    if not continues:
        raise IntegrityError(
            f"{now.project}@{now.environment} was at #{before.n} and is now at #{now.n}",
            where=registry.store.root,
            details=[f"mesh.lock has {before.publication}", f"the registry has {now.id}"],
            then="find out who rewrote the registry; if it was replaced on purpose, delete mesh.lock and sync again",
        )


def _pin(publication: Publication, record: str) -> Pin:
    return Pin(
        environment=publication.environment,
        publication=publication.id,
        n=publication.n,
        record=record,
        digest=publication.digest,
    )
