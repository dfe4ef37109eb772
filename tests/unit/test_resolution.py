"""What a consumer writes for a public model, and what is read then."""

import pytest

from registry_tools.mesh.lock import Pin
from registry_tools.mesh.resolution import resolved_models, written
from registry_tools.mesh.upstream import SyncedUpstream, Upstream
from tests.builders import interface, public_model, publication


@pytest.mark.parametrize(
    ("way", "version", "latest", "calls"),
    [
        ("sources", None, None, ("source('dbt_up', 'orders')",)),
        ("sources", 2, 3, ("source('dbt_up', 'orders_v2')",)),
        ("sources", 2, 2, ("source('dbt_up', 'orders_v2')", "source('dbt_up', 'orders')")),
        ("loom", None, None, ("ref('dbt_up', 'orders')",)),
        ("loom", 2, 3, ("ref('dbt_up', 'orders', v=2)",)),
        ("loom", 2, 2, ("ref('dbt_up', 'orders', v=2)", "ref('dbt_up', 'orders')")),
        ("loom", "2a", 3, ("ref('dbt_up', 'orders', v='2a')",)),
        ("loom", 1.5, 3, ("ref('dbt_up', 'orders', v=1.5)",)),
    ],
)
def test_a_model_is_written_as_its_way_has_it(way, version, latest, calls) -> None:
    assert written(public_model(version=version, latest_version=latest), way) == calls


def test_a_resolved_model_says_by_which_rule_it_is_elsewhere() -> None:
    upstream = Upstream(name="dbt_up", databases={"P*": "S*", "PROD": "SHARED"}, schemas={"STAGE": "ST"})
    published = interface(
        public_model(), public_model("raw", relation_name="DEV.STAGE.RAW"), public_model("x", relation_name="x")
    )
    pin = Pin(environment="prod", publication="p", n=1, record="r", digest="d")
    synced = SyncedUpstream(
        upstream=upstream,
        publication=publication(),
        published=published,
        interface=upstream.seen(published),
        pin=pin,
        before=None,
    )
    assert [(str(m.published), str(m.here), m.rules) for m in resolved_models(synced)] == [
        ("PROD.MARTS.ORDERS", "SHARED.MARTS.ORDERS", ("databases: PROD: SHARED",)),
        ("DEV.STAGE.RAW", "DEV.ST.RAW", ("schemas: STAGE: ST",)),
        ("X", "X", ()),
    ]
