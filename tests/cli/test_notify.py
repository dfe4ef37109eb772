"""`mesh notify`: what a receiver gets after a publication, a refusal, a rollback, or before a departure."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # dbt brings it
import pytest
from click.testing import Result

from registry_tools import webhook
from tests import builders
from tests.builders import Json, column, node
from tests.cli.conftest import Commands, assert_refused
from tests.cli.filled import asked
from tests.cli.test_check_changes import candidate, check, one_column_less, published
from tests.stores.fault_server import Answer, FaultServer, fault_server
from tests.unit.test_notices import SCHEMA

PATH = "/services/T0HIDDEN/B0HIDDEN"
KEY = base64.b64encode(b"k" * 32).decode()
NOTIFY = ("notify", "mini@prod")


@pytest.fixture
def built(commands: Commands) -> Commands:
    return one_column_less(commands)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A server that takes everything, and its address in the environment; nobody waits."""
    impatient = partial(webhook.deliver, pace=webhook.Pace(pause=lambda _seconds: None))
    monkeypatch.setattr(webhook, "deliver", impatient)
    with fault_server() as (faults, endpoint):
        monkeypatch.setenv("DBT_MESH_WEBHOOK", endpoint + PATH)
        yield faults


def sent(receiver: FaultServer) -> Json:
    """What arrived last; it fits the schema."""
    document: Json = json.loads(receiver.requests[-1].body)
    jsonschema.validate(document, SCHEMA)
    return document


def notify(commands: Commands, *words: str, code: int = 0) -> Result:
    result = asked(commands, *NOTIFY, *words, code=code)
    assert "HIDDEN" not in result.output
    assert KEY not in result.output
    return result


def dry(commands: Commands, *words: str) -> Json:
    found: Json = json.loads(notify(commands, "--dry-run", *words).stdout)
    return found


def leaving_on(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def publish_leaving(commands: Commands, *days: int) -> None:
    """mini with a model for each of these days, on which it leaves, and one that stays."""
    going = [
        node(f"old_{n}", "mini", deprecation_date=f"{leaving_on(day)}T00:00:00", columns={"id": column("id")})
        for n, day in enumerate(days)
    ]
    document = builders.manifest(
        *going, node("orders", "mini"), project="mini", metadata={"generated_at": "2026-03-01T00:00:00Z"}
    )
    (commands.up / "target/manifest.json").write_text(json.dumps(document))
    asked(commands, *published(commands), "--mode", "off")


# -- publications -----------------------------------------------------------------------------------------------------


def test_a_publication_says_what_changed_and_whom_it_breaks(built: Commands, receiver: FaultServer) -> None:
    asked(built, *published(built), "--mode", "off")
    result = notify(built)
    assert result.stdout == "✓ told 127.0.0.1: mini@prod#2 is published: 1 change, 1 BREAKING\n"
    document = sent(receiver)
    assert (document["event"], document["was"], document["now"]) == ("publication", "mini@prod#1", "mini@prod#2")
    assert [(one["rule"], one["object"]) for one in document["changes"]] == [("column-removed", "mini.orders.amount")]
    assert document["consumers"] == [
        {
            "consumer": "reader",
            "environment": "prod",
            "effect": "BROKEN",
            "owner": {"team": "Orders", "contact": "#orders"},
            "reads": [],
        }
    ]
    assert receiver.requests[0].headers["webhook-id"] == document["id"]


def test_the_first_publication(built: Commands, receiver: FaultServer) -> None:
    notify(built)
    document = sent(receiver)
    assert (document["was"], document["known"], document["says"]) == (
        None,
        True,
        "mini@prod#1 is published: the first publication",
    )
    assert document["counts"]["BREAKING"] == 0


def test_an_event_has_one_id_however_often_it_is_told(built: Commands, receiver: FaultServer) -> None:
    notify(built)
    notify(built)
    first, second = (json.loads(request.body) for request in receiver.requests)
    assert first == second
    asked(built, *published(built), "--mode", "off")
    notify(built)
    assert sent(receiver)["id"] != first["id"]


def test_a_publication_that_changed_nothing_is_told_only_where_that_is_wanted(
    built: Commands,
    receiver: FaultServer,
) -> None:
    candidate(built, "id", "amount", "note", built=2)
    asked(built, *published(built))
    assert notify(built).stdout == "✓ nothing to tell\n"
    assert receiver.requests == []
    notify(built, "--always")
    assert sent(receiver)["says"] == "mini@prod#2 is published: nothing changed for readers"


def test_an_approval_is_nothing_to_tell(built: Commands, receiver: FaultServer) -> None:
    asked(built, "approve", "column-removed", "mini.orders.amount", "--reason", "agreed")
    assert notify(built, "--always").stdout == "✓ nothing to tell\n"
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("words", "event", "says"),
    [
        (("rollback", "mini@prod#1", "--reason", "it was wrong"), "rollback", "mini@prod went back to "),
        (("yank", "mini@prod#2", "--reason", "it was wrong"), "yank", " of mini@prod is withdrawn: 1 change"),
    ],
)
def test_what_is_taken_back_is_told_with_its_reason(
    built: Commands,
    receiver: FaultServer,
    *,
    words: tuple[str, ...],
    event: str,
    says: str,
) -> None:
    asked(built, *published(built), "--mode", "off")
    asked(built, *words, "--allow-broken")
    notify(built)
    document = sent(receiver)
    assert (document["event"], document["reason"], document["now"]) == (event, "it was wrong", "mini@prod#3")
    assert says in document["says"]
    assert [one["rule"] for one in document["changes"]] == ["column-added"]


def test_what_was_given_up_is_not_made_up(
    built: Commands,
    receiver: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The publication before is no longer kept: then nobody knows what changed, and that is what is told."""
    from registry_tools.errors import UsageError
    from registry_tools.registry.publications import Registry

    asked(built, *published(built), "--mode", "off")
    read = Registry.interface

    def forgotten(self: Registry, project: str, environment: str, record: Any) -> Any:
        if record.n == 1:
            raise UsageError("it is no longer kept", then="mesh history")
        return read(self, project, environment, record)

    monkeypatch.setattr(Registry, "interface", forgotten)
    notify(built)
    document = sent(receiver)
    assert (document["known"], document["changes"]) == (False, [])
    assert "because mini@prod#1 is no longer kept" in document["says"]


# -- what leaves ------------------------------------------------------------------------------------------------------


def test_what_leaves_soon_is_told_with_who_reads_it(built: Commands, receiver: FaultServer) -> None:
    day = leaving_on(10)
    model = node("orders", "mini", deprecation_date=f"{day}T00:00:00", relation_name="UP.MARTS.ORDERS")
    document = builders.manifest(model, project="mini", metadata={"generated_at": "2026-03-01T00:00:00Z"})
    (built.up / "target/manifest.json").write_text(json.dumps(document))
    asked(built, *published(built), "--mode", "off")
    notify(built, "--leaving")
    told = sent(receiver)
    assert (told["event"], told["says"]) == ("deprecation", "1 public model of mini@prod leaves within 30 days")
    assert told["leaving"] == [{"model": "orders", "day": day, "instead": None}]
    assert [(one["consumer"], one["effect"], one["reads"]) for one in told["consumers"]] == [
        ("reader", None, ["orders"])
    ]
    notify(built)
    assert sent(receiver)["leaving"] == told["leaving"]
    assert sent(receiver)["id"] != told["id"]


def test_how_far_ahead_is_up_to_whoever_asks(built: Commands, receiver: FaultServer) -> None:
    publish_leaving(built, 31, 30, -5)
    notify(built, "--leaving")
    assert [one["model"] for one in sent(receiver)["leaving"]] == ["old_2", "old_1"]
    notify(built, "--leaving", "--days", "31")
    assert [one["model"] for one in sent(receiver)["leaving"]] == ["old_2", "old_1", "old_0"]


def test_nothing_leaves(built: Commands, receiver: FaultServer) -> None:
    publish_leaving(built, 31)
    assert notify(built, "--leaving").stdout == "✓ nothing to tell\n"
    assert receiver.requests == []


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def report(built: Commands) -> str:
    """The report of a check that refuses a removed column."""
    path = built.root / "report.json"
    path.write_text(asked(built, *check(built), "--format", "json", code=1).stdout)
    return str(path)


def test_a_refusal_is_told_without_a_registry(
    built: Commands,
    receiver: FaultServer,
    report: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_RUN_ID", "812"),
        ("GITHUB_REPOSITORY", "acme/mini"),
        ("GITHUB_SHA", "1" * 40),
    ):
        monkeypatch.setenv(name, value)
    (built.root / "mesh.yml").unlink()
    result = asked(built, "notify", "--refused", report)
    assert result.stdout == "✓ told 127.0.0.1: mini@prod is not published: 1 of 1 change is refused\n"
    document = sent(receiver)
    assert (document["event"], document["was"], document["publication"]) == ("refusal", "mini@prod#1", None)
    assert [(one["rule"], one["class"], one["outcome"]) for one in document["changes"]] == [
        ("column-removed", "BREAKING", "refused")
    ]
    assert [(one["consumer"], one["effect"], one["owner"]["team"]) for one in document["consumers"]] == [
        ("reader", "BROKEN", "Orders")
    ]
    assert (document["actor"]["repository"], document["actor"]["run"]) == ("acme/mini", "812")
    assert "models/" not in receiver.requests[0].body.decode()


def test_a_refusal_has_one_id_and_another_change_has_another(
    built: Commands,
    receiver: FaultServer,
    report: str,
) -> None:
    asked(built, "notify", "--refused", report)
    first = sent(receiver)["id"]
    asked(built, "notify", "--refused", report)
    assert sent(receiver)["id"] == first
    candidate(built, "id", built=3)
    other = built.root / "other.json"
    other.write_text(asked(built, *check(built), "--format", "json", code=1).stdout)
    asked(built, "notify", "--refused", str(other))
    assert sent(receiver)["id"] != first


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        ("", "is empty"),
        ("{", "it is no report of a check"),
        ("[]", "it is no report of a check"),
        ('{"schema_version": 2}', "it is no report of a check"),
        ("\x00", "it is no report of a check"),
        ("[" * 100_000, "it is no report of a check"),
    ],
)
def test_what_is_no_report(built: Commands, receiver: FaultServer, content: str, needle: str) -> None:
    (built.root / "report.json").write_text(content)
    assert_refused(built, 2, needle, "mesh check --format json", words=["notify", "--refused", "report.json"])
    assert receiver.requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"project": "../up"},
        {"environment": "<!channel>"},
        {"answer": "perhaps"},
        {"changes": [{"rule": "x"}]},
        {
            "changes": [
                {
                    "rule": "x",
                    "object": "y",
                    "class": "SAFE",
                    "outcome": "refused",
                    "impacts": [{"consumer": "a b", "environment": "prod", "effect": "BROKEN"}],
                }
            ]
        },
    ],
)
def test_a_report_that_somebody_made_up(
    built: Commands,
    receiver: FaultServer,
    report: str,
    wrong: Json,
) -> None:
    document = json.loads(Path(report).read_text()) | wrong
    (built.root / "report.json").write_text(json.dumps(document))
    assert_refused(built, 2, "it is no report of a check", words=["notify", "--refused", report])
    assert receiver.requests == []


def test_a_consumer_is_told_once_with_the_worst(built: Commands, receiver: FaultServer, report: str) -> None:
    document = json.loads(Path(report).read_text())
    (change,) = document["changes"]
    (impact,) = change["impacts"]
    change["impacts"] = [{**impact, "effect": "AFFECTED"}, impact, {**impact, "effect": "UNKNOWN"}]
    Path(report).write_text(json.dumps(document))
    asked(built, "notify", "--refused", report)
    assert [one["effect"] for one in sent(receiver)["consumers"]] == ["BROKEN"]


def test_who_notices_nothing_is_not_concerned(built: Commands, receiver: FaultServer, report: str) -> None:
    document = json.loads(Path(report).read_text())
    document["changes"][0]["impacts"][0]["effect"] = "UNAFFECTED"
    Path(report).write_text(json.dumps(document))
    asked(built, "notify", "--refused", report)
    assert sent(receiver)["consumers"] == []


def test_a_check_that_refused_nothing(built: Commands, receiver: FaultServer) -> None:
    candidate(built, "id", "amount", "note", built=3)
    (built.root / "report.json").write_text(asked(built, *check(built), "--format", "json").stdout)
    assert_refused(built, 2, "refused nothing", words=["notify", "--refused", "report.json"])
    assert receiver.requests == []


# -- forms, addresses, faults -----------------------------------------------------------------------------------------


def test_the_host_says_which_form_it_understands(built: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(dry(built, "--to", f"https://hooks.slack.com{PATH}")) == ["text"]
    assert "says" in dry(built, "--to", f"https://hooks.slack.com{PATH}", "--format", "json")
    assert list(dry(built, "--to", f"https://chat.example{PATH}", "--format", "slack")) == ["text"]
    monkeypatch.delenv("DBT_MESH_WEBHOOK", raising=False)
    assert dry(built)["event"] == "publication"


def test_a_dry_run_sends_nothing(built: Commands, receiver: FaultServer) -> None:
    jsonschema.validate(dry(built), SCHEMA)
    assert receiver.requests == []


def test_the_flag_beats_the_variable(built: Commands, receiver: FaultServer) -> None:
    with fault_server() as (other, endpoint):
        notify(built, "--to", endpoint + PATH)
    assert (len(other.requests), len(receiver.requests)) == (1, 0)


@pytest.mark.parametrize("secret", [f"whsec_{KEY}", ""])
def test_a_secret_signs(
    built: Commands,
    receiver: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
) -> None:
    monkeypatch.setenv("DBT_MESH_WEBHOOK_SECRET", secret)
    notify(built)
    assert ("webhook-signature" in receiver.requests[0].headers) is bool(secret)


def test_a_second_attempt_is_told(built: Commands, receiver: FaultServer) -> None:
    receiver.answers = [Answer(status=503), Answer()]
    assert notify(built).stdout.startswith("✓ told 127.0.0.1 at attempt 2: ")


@pytest.mark.parametrize(
    ("answer", "code", "needle"),
    [
        (Answer(status=503), 3, "it answered 503, 5 times"),
        (Answer(status=404, body=b"no_service"), 2, "it answered 404 no_service"),
    ],
)
def test_who_could_not_be_told_is_said_by_host_alone(
    built: Commands,
    receiver: FaultServer,
    *,
    answer: Answer,
    code: int,
    needle: str,
) -> None:
    receiver.answers = [answer]
    told = assert_refused(built, code, needle, "127.0.0.1", words=list(NOTIFY))
    assert "HIDDEN" not in told


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        ((), "no webhook is named"),
        (("--to", " "), "no webhook is named"),
        (("--to", f"http://chat.example{PATH}"), "it is not encrypted"),
        (("--to", f"hooks.slack.com{PATH}", "--dry-run"), "does not begin with https://"),
        (("--refused", "report.json", "--to", "https://h.example/"), "PROJECT@ENV and --refused are two events"),
    ],
)
def test_asked_wrongly(built: Commands, words: tuple[str, ...], needle: str) -> None:
    assert "HIDDEN" not in assert_refused(built, 2, needle, words=[*NOTIFY, *words])


def test_leaving_and_refused_are_two_events(built: Commands) -> None:
    words = ["notify", "--refused", "report.json", "--leaving", "--dry-run"]
    assert_refused(built, 2, "--leaving and --refused are two events", words=words)


def test_a_bad_secret_stops_before_anything_is_read(built: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_MESH_WEBHOOK_SECRET", "HIDDEN")
    words = [*NOTIFY, "--to", f"https://h.example{PATH}", "--registry", "/nowhere"]
    assert "HIDDEN" not in assert_refused(built, 2, "DBT_MESH_WEBHOOK_SECRET", words=words)


def test_a_secret_of_this_machine_is_never_sent(
    built: Commands,
    receiver: FaultServer,
    report: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody who can write a report makes the job that holds the password tell it."""
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "correct-horse-battery")
    document = json.loads(Path(report).read_text())
    document["changes"][0]["before"] = "correct-horse-battery"
    (built.root / "report.json").write_text(json.dumps(document))
    words = ["notify", "--refused", report]
    told = assert_refused(built, 1, "would hold what looks like a secret", words=words)
    assert "correct-horse" not in told
    assert receiver.requests == []


def test_the_project_of_this_folder_is_meant_where_none_is_named(
    built: Commands,
    receiver: FaultServer,
) -> None:
    asked(built, "notify", "--project-dir", str(built.up))
    assert sent(receiver)["project"] == "mini"
