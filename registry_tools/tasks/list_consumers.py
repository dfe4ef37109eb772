"""A project and the registry in, who reads it out: each consumer as it stands in each environment."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry_tools.mesh.publication import Publication
from registry_tools.mesh.usage import Read, Usage
from registry_tools.registry.consumers import consumers_of
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedConsumer:
    """A consumer of `upstream`: what it published last in one environment, and its reads of that upstream."""

    upstream: str
    publication: Publication
    usage: Usage
    reads: tuple[Read, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it reads, each as it refers to it: `public_orders`, `public_products.v2`."""
        return tuple(sorted({f"{r.model}.v{r.version}" if r.version else r.model for r in self.reads}))

    @property
    def nodes(self) -> tuple[str, ...]:
        """Its nodes that read this upstream."""
        return tuple(sorted({read.node for read in self.reads}))

    @property
    def unread(self) -> tuple[str, ...]:
        """Those of them of which it is not known which columns they read."""
        return tuple(sorted({read.node for read in self.reads if read.is_every}))


def list_consumers(upstreams: Sequence[str], registry: Registry) -> tuple[ListedConsumer, ...]:
    """Everybody who reads one of `upstreams` now; of every project in the registry where none is named.

    Raises UsageError for a project that has published nothing and that nobody reads.
    """
    found = []
    for upstream in upstreams or registry.projects():
        consumers = consumers_of(registry, upstream)
        if upstreams and not consumers:
            registry.expect_known(upstream)
        for consumer in consumers:
            if reads := tuple(read for read in consumer.usage.reads if read.upstream == upstream):
                listed = ListedConsumer(
                    upstream=upstream, publication=consumer.publication, usage=consumer.usage, reads=reads
                )
                found.append(listed)
    return tuple(found)
