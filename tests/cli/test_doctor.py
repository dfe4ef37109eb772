"""`mesh doctor`: a mesh in order passes, every mistake is named with what to do, and nothing makes it fall over."""

import json
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result

from registry_tools.tasks import examine_mesh
from tests.cli.conftest import MINI, Commands
from tests.stores.fault_server import Answer, FaultServer, error, fault_server
from tests.stores.lax_s3 import lax_s3
from tests.stores.local_s3 import BUCKET, SECRET, aws_variables

GOLDEN = Path(__file__).parent / "expected_doctor.txt"
MESH = """
version: 1
registry: registry
projects:
  mini: {path: up}
  reader: {path: down, upstreams: {mini: {as: sources}}}
"""
MISTAKES = """
version: 1
registry: registry
projects:
  mini: {path: up}
  reader: {path: down, upstreams: {mini: {as: loom}, nobody: {as: sources}, mini_too: {environment: staging}}}
  moved: {path: nowhere}
  mini_too: {path: up}
"""
PROFILES = """
mini: {target: dev, outputs: {dev: {type: snowflake, protocol: http, host: 127.0.0.1, port: PORT}}}
reader: {target: prd, outputs: {prod: {type: snowflake}}}
"""


@pytest.fixture
def healthy(commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Commands]:
    """Two projects, built and published, dbt, and somebody who listens where Snowflake should."""
    packages(monkeypatch, tmp_path, dbt_core="1.12.6", dbt_snowflake="1.12.3", dbt_loom="0.9.6")
    for deadline in ("_LOOK_SECONDS", "_PROBE_SECONDS", "_SNOWFLAKE_SECONDS"):
        monkeypatch.setattr(examine_mesh, deadline, 600)  # a machine that is busy is no finding
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DBT_MESH_CACHE", str(tmp_path / "cache"))
    (commands.root / "mesh.yml").write_text(MESH)
    commands.run("publish", "--env", "prod", "--project-dir", str(commands.up))
    for folder, name in ((commands.up, "mini"), (commands.down, "reader")):
        (folder / "dbt_project.yml").write_text(f"name: {name}\nprofile: mini\n")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        (tmp_path / "home/.dbt").mkdir(parents=True)
        port = str(listening.getsockname()[1])
        (tmp_path / "home/.dbt/profiles.yml").write_text(PROFILES.replace("PORT", port))
        yield commands


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultServer]:
    with fault_server() as (server, endpoint):
        on_s3(monkeypatch, tmp_path, endpoint)
        yield server


def packages(monkeypatch: pytest.MonkeyPatch, folder: Path, **versions: str) -> None:
    """What importlib.metadata finds first."""
    for name, version in versions.items():
        info = folder / "packages" / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(folder / "packages")


def on_s3(monkeypatch: pytest.MonkeyPatch, folder: Path, endpoint: str) -> None:
    for name, value in aws_variables(endpoint, folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def doctor(commands: Commands, *words: str) -> dict[str, Any]:
    """The whole report, and the exit code in it."""
    result = commands.run("doctor", "--format", "json", *words)
    assert result.stderr == ""
    report: dict[str, Any] = json.loads(result.stdout)
    return report | {"code": result.exit_code}


def findings(report: dict[str, Any], *verdicts: str) -> list[tuple[str, str]]:
    return [
        (f["check"], f["message"]) for f in report["findings"] if f["verdict"] in (verdicts or ("warning", "error"))
    ]


def plain(result: Result, commands: Commands, *others: Path) -> str:
    """The output without what differs from one machine to the next."""
    text = result.stdout.replace(str(commands.root), "<root>")
    for other in others:
        text = text.replace(str(other), "<home>")
    return text


def test_a_mesh_in_order_passes_and_is_left_as_it_was(healthy: Commands) -> None:
    before = healthy.snapshot()
    result = healthy.run("doctor")
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("\n0 errors, 0 warnings\n")
    for line in ("✓ reader reads mini as sources", "✓ dbt-core 1.12.6", "✓ a second create of one key is declined"):
        assert f"\n{line}\n" in result.stdout
    assert "reader reads mini@prod#1 of " in result.stdout
    after = healthy.snapshot()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"registry/_probe"}
    assert "\x1b" not in result.stdout


def test_read_only_writes_nothing_at_all(healthy: Commands) -> None:
    before = healthy.snapshot()
    assert healthy.run("doctor", "--read-only").exit_code == 0
    assert healthy.snapshot() == before


def test_the_json_has_every_finding_with_its_keys(healthy: Commands) -> None:
    report = doctor(healthy)
    assert set(report) == {"registry", "reached", "errors", "warnings", "findings", "code"}
    assert (report["registry"], report["reached"], report["errors"]) == (healthy.registry, True, 0)
    for finding in report["findings"]:
        assert set(finding) == {"area", "check", "verdict", "message", "next"}
    assert {f["area"] for f in report["findings"]} == {"mesh", "machine", "dbt", "snowflake", "registry", "store"}


def test_every_kind_of_mistake_is_named_with_what_to_do(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages(monkeypatch, tmp_path / "later", dbt_core="2.0.1", dbt_snowflake="2.0.0")
    (healthy.root / "mesh.yml").write_text(MISTAKES)
    (healthy.root / ".mesh").write_text("a file where a folder belongs")
    (tmp_path / "cache").write_text("and another one")
    (healthy.down / "target").mkdir()
    shutil.copy(MINI, healthy.down / "target/manifest.json")
    (healthy.down / "dbt_project.yml").write_text("name: reader\nprofile: reader\n")
    profiles = tmp_path / "home/.dbt/profiles.yml"
    profiles.write_text(PROFILES.replace("PORT", "1"))
    result = healthy.run("doctor", "--read-only")
    text = plain(result, healthy, tmp_path)
    kept = [line for line in text.splitlines() if not line.startswith("✓")]
    assert "\n".join(kept) + "\n" == GOLDEN.read_text()
    assert result.exit_code == 1


# -- mesh.yml and the registry's name ---------------------------------------------------------------------------------


def test_a_broken_mesh_yml_is_one_error_and_the_rest_is_looked_at(healthy: Commands) -> None:
    (healthy.root / "mesh.yml").write_text(MESH.replace("registry:", "regisrty:"))
    report = doctor(healthy, "--project-dir", str(healthy.up), "--registry", healthy.registry)
    assert report["code"] == 1
    ((check, message),) = findings(report)
    assert check == "mesh.yml"
    assert "unknown key 'regisrty'" in message
    assert "mini" in [message for check, message in findings(report, "ok") if check == "project"]


def test_without_a_registry_the_rest_is_looked_at(healthy: Commands) -> None:
    (healthy.root / "mesh.yml").write_text(MESH.replace("registry: registry\n", ""))
    report = doctor(healthy)
    assert (report["code"], report["registry"], report["reached"]) == (1, None, False)
    assert findings(report) == [("registry", "no registry is named")]
    assert ("dbt-core", "dbt-core 1.12.6") in findings(report, "ok")


@pytest.mark.parametrize(
    ("words", "variable", "source"),
    [
        (["--registry", "other"], "s3://variable/x", "other, as typed"),
        ([], "variable", "variable, by the environment"),
        ([], None, "registry, by mesh.yml"),
    ],
)
def test_it_says_what_named_the_registry(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, words: list[str], variable: str | None, source: str
) -> None:
    if variable:
        monkeypatch.setenv("DBT_MESH_REGISTRY", variable)
    told = dict(findings(doctor(healthy, "--read-only", *words), "ok"))["registry"]
    assert told.endswith(source)


def test_neither_a_mesh_nor_a_project_is_no_error(commands: Commands) -> None:
    report = doctor(commands, "--local", "--read-only", "--project-dir", str(commands.root))
    assert ("mesh.yml", "no mesh.yml here or above") in findings(report, "note")
    assert report["errors"] == 0


@pytest.mark.parametrize("words", [["--env", "Prod"], ["--bucket", "a", "--local"], ["--wrong"]])
def test_what_is_typed_wrongly_is_said_at_once(commands: Commands, words: list[str]) -> None:
    assert commands.run("doctor", *words).exit_code in {1, 2}


def test_a_project_that_is_no_project(healthy: Commands) -> None:
    (healthy.up / "dbt_project.yml").write_text("{")
    (healthy.root / "mesh.yml").unlink()
    report = doctor(healthy, "--project-dir", str(healthy.up), "--registry", healthy.registry)
    assert [check for check, _ in findings(report)] == ["project"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"null", b'{"metadata": {"generated_at": "x"}}'])
def test_a_manifest_that_is_none_is_an_error(healthy: Commands, content: bytes) -> None:
    (healthy.up / "target/manifest.json").write_bytes(content)
    report = doctor(healthy, "--read-only")
    assert [check for check, _ in findings(report)] == ["manifest"]
    assert report["code"] == 1


def test_an_upstream_is_looked_for_in_each_environment_that_may_be_read(healthy: Commands) -> None:
    declared = healthy.root / "mesh.yml"
    declared.write_text(MESH.replace("projects:", "environments: {prod: {reads: [qa, prod]}}\nprojects:"))
    result = healthy.run("doctor", "--read-only")
    assert "reader reads mini@prod#1 of " in result.stdout
    declared.write_text(MESH.replace("projects:", "environments: {prod: {reads: [qa, staging]}}\nprojects:"))
    result = healthy.run("doctor", "--read-only")
    assert "warning: reader reads mini, which has published nothing in 'qa' or 'staging'" in result.stdout
    assert "publish mini in staging first" in result.stdout


def test_a_log_that_is_damaged_is_an_error_of_that_upstream(healthy: Commands) -> None:
    (record,) = Path(healthy.registry, "mini/prod/log").glob("*.json")
    record.write_bytes(b"{}")
    report = doctor(healthy)
    assert [check for check, _ in findings(report)] == ["upstream"]
    assert report["reached"] is True


def test_names_from_a_registry_do_not_move_the_cursor(healthy: Commands) -> None:
    planted = Path(healthy.registry, "_private/\x1b[2J\udcff/prod/x.json.zst")
    planted.parent.mkdir(parents=True)
    planted.touch()
    result = healthy.run("doctor", "--read-only")
    assert "may read the whole manifests of \\x1b[2J\\udcff\n" in result.stdout
    assert doctor(healthy, "--read-only")["code"] == 0


# -- dbt and Snowflake ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("versions", "way", "found"),
    [
        ({"dbt_core": "1.4.9"}, "sources", [("dbt-core", "dbt-core 1.4.9 writes manifests without public models")]),
        ({"dbt_core": "1.5.0"}, "loom", []),
        ({"dbt_core": "2.0.0b1"}, "sources", []),
        (
            {"dbt_core": "2.0.0b1"},
            "loom",
            [("dbt-loom", "reader reads mini as loom, and dbt-core 2.0.0b1 takes no plugins")],
        ),
        ({"dbt_core": "odd"}, "sources", [("dbt-core", "dbt-core odd writes manifests without public models")]),
    ],
)
def test_dbts_version_has_to_fit(
    healthy: Commands,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    versions: dict[str, str],
    way: str,
    found: list[tuple[str, str]],
) -> None:
    packages(monkeypatch, tmp_path / "other", **versions)
    (healthy.root / "mesh.yml").write_text(MESH.replace("sources", way))
    assert findings(doctor(healthy, "--read-only")) == found


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        (["dbt-core"], ("dbt-core", "dbt is not installed")),
        (["dbt-snowflake"], ("dbt-snowflake", "dbt-snowflake is not installed")),
        (["dbt-loom"], ("dbt-loom", "reader reads mini as loom, and dbt-loom is not installed")),
    ],
)
def test_what_is_not_installed_is_missed(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, missing: list[str], found: tuple[str, str]
) -> None:
    known = examine_mesh._version
    monkeypatch.setattr(examine_mesh, "_version", lambda package: None if package in missing else known(package))
    monkeypatch.setenv("PATH", "")
    (healthy.root / "mesh.yml").write_text(MESH.replace("sources", "loom"))
    assert findings(doctor(healthy, "--read-only")) == [found]


def test_dbt_of_another_environment_is_seen(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine_mesh, "_version", lambda _package: None)
    program = healthy.root / "bin/dbt"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    report = doctor(healthy, "--read-only")
    assert findings(report) == []
    assert ("dbt-core", f"dbt is {program}, of another environment") in findings(report, "note")


def test_a_server_without_tls_is_not_snowflake(healthy: Commands, tmp_path: Path) -> None:
    with fault_server() as (_, endpoint):
        profiles = tmp_path / "home/.dbt/profiles.yml"
        profiles.write_text(PROFILES.replace("http,", "https,").replace("PORT", endpoint.rsplit(":", 1)[1]))
        report = doctor(healthy, "--read-only")
    ((check, message),) = findings(report)
    assert check == "account"
    assert message.startswith("https://127.0.0.1:")
    assert report["code"] == 0


def test_a_host_that_is_none_and_a_proxy_are_no_traceback(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profiles = tmp_path / "home/.dbt/profiles.yml"
    profiles.write_text(PROFILES.replace("127.0.0.1", "a..b").replace("PORT", "1"))
    assert "a..b:1 does not answer" in str(findings(doctor(healthy, "--read-only")))
    profiles.write_text(PROFILES.replace("http,", "https,").replace("127.0.0.1", "snow").replace("PORT", "1"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://anna:{SECRET}@127.0.0.1:1")
    report = doctor(healthy, "--read-only")
    assert "https://snow:1: not tried, it is behind the proxy of HTTPS_PROXY" in str(findings(report, "note"))
    assert SECRET not in str(report)


def test_a_name_server_that_hangs_is_given_up(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    with fault_server() as (faults, _):
        monkeypatch.setattr(examine_mesh, "_SNOWFLAKE_SECONDS", 0.1)
        monkeypatch.setattr(socket, "create_connection", lambda *_words, **_options: faults.over.wait(30))
        assert findings(doctor(healthy, "--read-only")) == [("account", "no answer within 0.1 s")]


# -- S3 ---------------------------------------------------------------------------------------------------------------


def test_a_bucket_passes_and_is_left_empty(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3_endpoint: str
) -> None:
    on_s3(monkeypatch, tmp_path, s3_endpoint)
    (healthy.root / "mesh.yml").write_text(MESH.replace("{mini: {as: sources}}", "{}"))
    report = doctor(healthy, "--registry", f"s3://{BUCKET}/doctor")
    assert findings(report) == []
    told = dict(findings(report, "ok"))
    assert (
        told["endpoint"]
        == f"{s3_endpoint}, region us-east-1; not AWS, so every publication proves that conditions hold"
    )
    assert told["credentials"] == "credentials from env"
    assert told["clock"].startswith("this machine's clock agrees")
    assert SECRET not in str(report)
    again = doctor(healthy, "--registry", f"s3://{BUCKET}/doctor", "--read-only")
    assert dict(findings(again, "ok"))["list"] == "answers, and is empty"


def test_a_bucket_that_ignores_conditions_is_an_error(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3_endpoint: str
) -> None:
    with lax_s3(s3_endpoint, "if-none-match") as endpoint:
        on_s3(monkeypatch, tmp_path, endpoint)
        words = ["--registry", f"s3://{BUCKET}/lax"]
        (healthy.root / "mesh.yml").write_text(MESH.replace("{mini: {as: sources}}", "{}"))
        report = doctor(healthy, *words)
        assert [check for check, _ in findings(report)] == ["conditional-create", "race"]
        assert report["code"] == 1
        published = healthy.run("publish", "--env", "prod", "--project-dir", str(healthy.up), *words)
    assert published.exit_code == 3
    assert "this store ignores conditional writes" in published.stderr
    assert "mesh doctor" in published.stderr


@pytest.mark.parametrize("words", [[], ["--read-only"]])
def test_where_nobody_listens_the_rest_is_shown_first_and_the_code_is_3(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    on_s3(monkeypatch, tmp_path, "http://127.0.0.1:1")
    result = healthy.run("doctor", "--registry", "s3://mesh/registry", *words)
    assert result.exit_code == 3
    assert "✓ dbt-core 1.12.6" in result.stdout
    assert "error: s3://mesh/registry: the registry cannot be reached" in result.stdout
    assert result.stdout.endswith("\n1 error, 0 warnings\n")


def test_without_credentials_the_code_is_3(
    healthy: Commands, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    report = doctor(healthy, "--registry", "s3://mesh/registry")
    assert (report["code"], report["reached"]) == (3, False)
    assert "no AWS credentials" in str(findings(report))
    assert faults.requests == []


@pytest.mark.parametrize("code", ["NoSuchBucket", "ExpiredToken", "InvalidAccessKeyId", "RequestTimeTooSkewed"])
def test_a_bucket_that_answers_nobody_is_not_reached(healthy: Commands, faults: FaultServer, code: str) -> None:
    faults.answers = [error(403, code)]
    report = doctor(healthy, "--registry", "s3://mesh/registry")
    assert (report["code"], report["reached"]) == (3, False)
    assert code in str(findings(report))


@pytest.mark.parametrize(
    ("bucket", "endpoint", "told"),
    [
        ("mesh", "https://s3.eu-central-1.amazonaws.com", 0),
        ("other", "https://s3.eu-central-1.amazonaws.com", 1),
        ("other", "https://minio.internal", 0),
        ("other", "no endpoint", 0),
    ],
)
def test_a_registry_on_aws_that_the_account_is_not_set_up_for_is_a_warning(
    healthy: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bucket: str, endpoint: str, told: int
) -> None:
    on_s3(monkeypatch, tmp_path, endpoint)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed.getsockname()[1]}")  # nobody is reached
    path = healthy.root / "mesh.yml"
    aws = f"aws: {{account: '123456789012', region: eu-central-1, bucket: {bucket}}}\n"
    path.write_text(path.read_text() + aws)
    report = doctor(healthy, "--registry", "s3://mesh/registry", "--read-only")
    warned = [message for check, message in findings(report, "warning") if check == "registry"]
    assert len(warned) == told
    assert all("aws in mesh.yml sets up s3://other/registry" in message for message in warned)


def test_a_role_that_may_nothing_has_reached_it(healthy: Commands, faults: FaultServer) -> None:
    faults.answers = [error(403, "AccessDenied")]
    report = doctor(healthy, "--registry", "s3://mesh/registry")
    assert (report["code"], report["reached"]) == (1, True)
    assert [check for check, _ in findings(report)] == ["upstream", "rights"]


@pytest.mark.parametrize(
    "answer", [Answer(status=200, body=b"<html>log in</html>"), Answer(reset=True), Answer(status=500)]
)
def test_a_server_that_is_no_s3_is_no_traceback(healthy: Commands, faults: FaultServer, answer: Answer) -> None:
    faults.answers = [answer]
    report = doctor(healthy, "--registry", "s3://mesh/registry")
    assert report["code"] == 3, report


def test_a_server_that_hangs_is_given_up(
    healthy: Commands, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine_mesh, "_LOOK_SECONDS", 0.2)
    faults.answers = [Answer(hang=True)]
    report = doctor(healthy, "--registry", "s3://mesh/registry")
    assert (report["code"], findings(report)) == (3, [("reach", "s3://mesh/registry does not answer within 0.2 s")])


def test_probes_that_take_too_long_are_given_up(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine_mesh, "_PROBE_SECONDS", 0)
    report = doctor(healthy)
    assert (report["code"], report["reached"]) == (1, True)
    assert findings(report) == [("probes", f"{healthy.registry} does not answer within 0 s")]


@pytest.mark.parametrize(("hours", "words"), [(-1, "3600 s ahead of"), (1, "3600 s behind"), (0, None)])
def test_a_clock_that_is_wrong_is_a_warning(
    healthy: Commands, faults: FaultServer, hours: int, words: str | None
) -> None:
    server = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    denied = error(403, "AccessDenied")
    faults.answers = [Answer(status=403, body=denied.body, headers={**denied.headers, "Date": server})]
    report = doctor(healthy, "--registry", "s3://mesh/registry", "--read-only")
    told = [message for check, message in findings(report) if check == "clock"]
    assert len(told) == (words is not None)
    assert words is None or words.split()[1] in told[0]


def test_credentials_that_run_out_soon_are_a_warning(
    healthy: Commands, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.answers = [error(403, "AccessDenied")]
    soon = datetime.now(UTC) + timedelta(minutes=12)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", soon.isoformat())
    report = doctor(healthy, "--registry", "s3://mesh/registry", "--read-only")
    assert ("credentials", "credentials from env end within 15 min") in findings(report, "warning")
    gone = datetime.now(UTC) - timedelta(minutes=1)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", gone.isoformat())
    report = doctor(healthy, "--registry", "s3://mesh/registry", "--read-only")
    assert (report["code"], report["reached"]) == (3, False)
    assert SECRET not in str(report)
