"""A glance at every node of a manifest in, what the interface needs of all of them out: public models, parents, tests.

One pass of msgspec takes these few fields as fast as it would take nothing, so no node is decoded to be left out.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Raw

from registry_tools.mesh.public_model import GUARDS, DependsOn, Value

_ACCEPTED: Final = "accepted_values"


class _TestMetadata(Value, frozen=True, gc=False):
    name: str
    namespace: str | None = None
    kwargs: Raw = Raw(b"{}")


class _Config(Value, frozen=True, gc=False):
    access: str | None = None
    severity: str | None = None
    where: str | None = None
    error_if: str | None = None


class Glance(Value, frozen=True, gc=False):
    """What is asked of a node before anybody wants it: of a model its access, of a test what it guards."""

    package_name: str
    name: Raw = Raw(b"")
    access: str | None = None
    config: _Config = _Config()
    depends_on: DependsOn = DependsOn()
    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: _TestMetadata | None = None

    @property
    def is_public(self) -> bool:
        """Whether other projects may read the model."""
        return (self.access or self.config.access) == "public"

    @property
    def holds(self) -> tuple[str, str, Raw] | None:
        """A column, dbt's own test that holds for it always and in every row, and the test's arguments.

        A `where` or a mere warning promises nothing to readers, and neither does the test of a package.
        """
        about, config = self.test_metadata, self.config
        if not self.column_name or about is None or about.namespace:
            return None
        if config.where or config.error_if not in {None, "!= 0"} or (config.severity or "error").lower() != "error":
            return None
        # dbt writes the name of a quoted column with its quotes
        return self.column_name.strip('"`'), about.name, about.kwargs

    @property
    def only_parent(self) -> str | None:
        """What a test is about to which dbt attached no node."""
        nodes = self.depends_on.nodes
        return nodes[0] if len(nodes) == 1 else None


class Survey(Value, frozen=True):
    """What the glances come to.

    `public` holds each model's name undecoded, because it tells where the model stands; `accepted` by model and column
    the arguments of the tests that name every value, which are decoded by who wants them.
    """

    public: Mapping[str, Raw]
    parents: Mapping[str, tuple[str, ...]]
    guards: Mapping[str, Mapping[str, set[str]]]
    accepted: Mapping[str, Mapping[str, list[Raw]]]


def survey(glances: Mapping[str, Glance], project: str) -> Survey:
    """The project's own public models, of every node the nodes that it reads, and of each public model its guards.

    A project that consumes through dbt-loom carries foreign public models in its own manifest; they are not its own.
    """
    own = f"model.{project}."
    public = {
        unique_id: glance.name
        for unique_id, glance in glances.items()
        if unique_id.startswith(own) and glance.is_public and glance.package_name == project
    }
    guards: dict[str, dict[str, set[str]]] = {unique_id: {} for unique_id in public}
    accepted: dict[str, dict[str, list[Raw]]] = {}
    for unique_id, glance in glances.items():
        model = glance.attached_node or glance.only_parent
        if model in guards and unique_id.startswith("test.") and (held := glance.holds):
            column, test, arguments = held
            if test in GUARDS:
                guards[model].setdefault(column, set()).add(test)
            elif test == _ACCEPTED:
                accepted.setdefault(model, {}).setdefault(column, []).append(arguments)
    parents = {unique_id: glance.depends_on.nodes for unique_id, glance in glances.items()}
    return Survey(public=public, parents=parents, guards=guards, accepted=accepted)
