"""Who reads what would be gone: by name, by version, and nothing that is missing already."""

from registry_tools.checks.readers import LostRead, lost_reads
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.usage import Read, Usage
from tests.builders import interface, public_model

V1 = public_model("orders", version=1, latest_version=2)
V2 = public_model("orders", version=2, latest_version=2)
CUSTOMERS = public_model("customers")


def read(model: str, version: str = "", node: str = "model.dbt_down.report", upstream: str = "dbt_up") -> Read:
    return Read(upstream=upstream, model=model, version=version, node=node, via="ref")


def lost(before: list[PublicModel], after: list[PublicModel], *usages: Usage) -> list[str]:
    return [str(each) for each in lost_reads(interface(*before), interface(*after), usages)]


def usage(*reads: Read, project: str = "dbt_down") -> Usage:
    return Usage(project=project, reads=reads)


def test_a_model_that_is_gone_is_told_with_who_reads_it() -> None:
    found = lost([CUSTOMERS, V2], [V2], usage(read("customers"), read("orders")))
    assert found == ["dbt_up.customers  read by  dbt_down  model.dbt_down.report"]


def test_a_version_that_is_gone_is_missed_by_who_named_it_alone() -> None:
    reads = usage(read("orders", "1"), read("orders", node="model.dbt_down.latest"))
    assert lost([V1, V2], [V2], reads) == ["dbt_up.orders.v1  read by  dbt_down  model.dbt_down.report"]


def test_every_version_gone_is_missed_by_who_takes_the_latest() -> None:
    found = lost([V1, V2], [CUSTOMERS], usage(read("orders"), read("orders", "2")))
    assert found == [
        "dbt_up.orders  read by  dbt_down  model.dbt_down.report",
        "dbt_up.orders.v2  read by  dbt_down  model.dbt_down.report",
    ]


def test_a_model_that_has_lost_its_versions_is_read_by_its_name_as_before() -> None:
    whole = public_model("orders")
    assert lost([V1], [whole], usage(read("orders"))) == []
    assert lost([V1], [whole], usage(read("orders", "1"))) != []
    assert lost([whole], [V1], usage(read("orders"))) == []


def test_what_is_missing_already_is_not_told_again() -> None:
    assert lost([V2], [], usage(read("customers"))) == []
    assert lost([V2], [CUSTOMERS], usage(read("customers"))) == []


def test_a_model_of_another_project_is_another_model() -> None:
    assert lost([CUSTOMERS], [], usage(read("customers", upstream="crm"))) == []


def test_nobody_reads_anything() -> None:
    assert lost([CUSTOMERS], []) == lost([CUSTOMERS], [], usage()) == []


def test_each_reader_is_told_once_in_order_whatever_its_environments() -> None:
    one, other = usage(read("customers"), project="b"), usage(read("customers"), project="a")
    found = lost_reads(interface(CUSTOMERS), interface(), [one, other, one])
    assert found == (
        LostRead(consumer="a", read=read("customers")),
        LostRead(consumer="b", read=read("customers")),
    )
