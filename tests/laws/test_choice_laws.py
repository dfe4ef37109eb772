"""Laws of where an upstream is read: of the environments that may be, the first in which it has published."""

from hypothesis import given
from hypothesis import strategies as st

from registry_tools.errors import UsageError
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.pins import first_published
from registry_tools.registry.publications import Registry
from tests.builders import candidate, interface, public_model

ENVIRONMENTS = ("prod", "staging", "qa", "dev")
ORDERS = st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, unique=True)


def _registry(published: set[str]) -> Registry:
    registry = Registry(MemoryStore())
    for environment in published:
        asked = candidate(interface(public_model()), environment=environment)
        registry.publish(asked, lambda _current: None)
    return registry


def _chosen(registry: Registry, order: list[str]) -> str | None:
    try:
        return first_published(registry, "dbt_up", order)[0]
    except UsageError:
        return None


@given(st.sets(st.sampled_from(ENVIRONMENTS)), ORDERS)
def test_it_is_the_first_of_the_order_that_is_there(published: set[str], order: list[str]) -> None:
    assert _chosen(_registry(published), order) == next((name for name in order if name in published), None)


@given(st.sets(st.sampled_from(ENVIRONMENTS)), ORDERS, st.sampled_from(ENVIRONMENTS))
def test_what_is_published_elsewhere_changes_no_choice_that_was_made(
    published: set[str], order: list[str], more: str
) -> None:
    before, after = _chosen(_registry(published), order), _chosen(_registry(published | {more}), order)
    assert after == before or (after == more and more in order)
    assert before is None or after is not None
