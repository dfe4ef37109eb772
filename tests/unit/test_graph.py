"""Usage and lineage: who reads what; declarations: whether it is what mesh.yml says."""

import pytest

from registry_tools.checks.declarations import Finding, check_declarations
from registry_tools.mesh.lineage import Lineage, Member
from registry_tools.mesh.usage import Read, Usage
from tests.builders import interface, public_model


def _read(node: str, model: str = "orders", upstream: str = "up", version: str = "") -> Read:
    return Read(upstream=upstream, model=model, version=version, node=node, via="source")


def _member(project: str, *reads: Read, declared: tuple[str, ...] = (), models: tuple[str, ...] = ()) -> Member:
    public = (public_model(name, project) for name in models)
    return Member(
        interface=interface(*public, project=project), usage=Usage(project=project, reads=reads), declared=declared
    )


def test_upstreams_are_named_once_in_order() -> None:
    usage = Usage(project="down", reads=(_read("b", upstream="z"), _read("a"), _read("c")))
    assert usage.upstreams == ("up", "z")
    assert Usage(project="down").upstreams == ()


def test_readers_are_found_by_model_and_version_whichever_way_they_read() -> None:
    through_ref = Read(upstream="up", model="orders", version="", node="model.b.y", via="ref")
    lineage = Lineage(
        members=(
            _member("up", models=("orders",)),
            _member("b", through_ref, _read("model.b.old", version="1")),
            _member("a", _read("model.a.x"), _read("model.a.z", model="products")),
        )
    )
    assert lineage.readers_of("up", "orders", "") == [("a", _read("model.a.x")), ("b", through_ref)]
    assert [read.node for _, read in lineage.readers_of("up", "orders", "1")] == ["model.b.old"]
    assert lineage.readers_of("b", "orders", "") == []
    assert len(list(lineage.reads())) == 4


UP = _member("up", models=("orders",))


@pytest.mark.parametrize(
    ("members", "rules"),
    [
        ((UP, _member("down", _read("n"), declared=("up",))), []),
        ((UP, _member("down")), []),
        ((UP, _member("down", declared=("up",))), [("declared-unused", None, ())]),
        ((UP, _member("down", _read("n"), _read("m"))), [("used-undeclared", None, ("m", "n"))]),
        (
            (UP, _member("down", _read("n", "gone"), _read("m", "orders"), declared=("up",))),
            [("unknown-model", "gone", ("n",))],
        ),
        # an upstream outside this mesh.yml: nobody here knows its models
        ((_member("down", _read("n", "gone"), declared=("up",)),), []),
    ],
)
def test_a_difference_to_mesh_yml_is_a_finding(
    members: tuple[Member, ...], rules: list[tuple[str, str | None, tuple[str, ...]]]
) -> None:
    found = check_declarations(Lineage(members=members))
    assert [(finding.rule, finding.model, finding.nodes) for finding in found] == rules
    assert all((finding.project, finding.upstream) == ("down", "up") for finding in found)


def test_a_node_that_reads_two_versions_of_an_unknown_model_is_named_once() -> None:
    reads = (_read("n", "gone", version="1"), _read("n", "gone", version="2"))
    (finding,) = check_declarations(Lineage(members=(UP, _member("down", *reads, declared=("up",)))))
    assert finding.nodes == ("n",)


@pytest.mark.parametrize(
    ("finding", "says", "then"),
    [
        (
            Finding(rule="declared-unused", project="down", upstream="up"),
            "down declares the upstream up and reads none of its models",
            "remove projects.down.upstreams.up from mesh.yml",
        ),
        (
            Finding(rule="used-undeclared", project="down", upstream="up"),
            "down reads up, which mesh.yml does not declare",
            "add up to projects.down.upstreams",
        ),
        (
            Finding(rule="unknown-model", project="down", upstream="up", model="gone"),
            "down reads up.gone, which up does not make public",
            "run mesh sync in down",
        ),
    ],
)
def test_a_finding_says_what_is_wrong_and_what_to_do(finding: Finding, says: str, then: str) -> None:
    assert str(finding).startswith(says)
    assert finding.then.startswith(then)
