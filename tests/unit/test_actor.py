"""Who publishes: the CI job or the checkout, and never a person, a token or a path."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from registry_tools.intake.actor import identify_actor
from registry_tools.mesh.publication import Actor

SHA = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "ghp_" + "secret" * 6
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/dbt_up",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": SHA,
    "GITHUB_RUN_ID": "42",
    "GITHUB_WORKFLOW_REF": "acme/dbt_up/.github/workflows/ci.yml@refs/heads/main",
    "GITHUB_ACTOR": "renovate[bot]",
    "GITHUB_TOKEN": TOKEN,
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "acme/data/dbt_up",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_SHA": SHA,
    "CI_PIPELINE_ID": "7",
    "CI_JOB_NAME": "publish: prod",
    "GITLAB_USER_LOGIN": "ada",
    "GITLAB_USER_NAME": "Ada Lovelace",
    "GITLAB_USER_EMAIL": "ada@example.com",
}
BUILDKITE = {
    "BUILDKITE": "true",
    "BUILDKITE_REPO": f"https://{TOKEN}@github.com/acme/dbt_up.git",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_COMMIT": SHA,
    "BUILDKITE_BUILD_NUMBER": "1514",
    "BUILDKITE_PIPELINE_SLUG": "publish-dbt-up",
    "BUILDKITE_BUILD_CREATOR": "Ada Lovelace",
    "BUILDKITE_BUILD_CREATOR_EMAIL": "ada@example.com",
}
JENKINS = {
    "JENKINS_URL": "https://jenkins.corp.example/",
    "BUILD_URL": "https://jenkins.corp.example/job/dbt_up/42/",
    "GIT_URL": "git@github.com:acme/dbt_up.git",
    "GIT_BRANCH": "origin/main",
    "GIT_COMMIT": SHA,
    "BUILD_NUMBER": "42",
    "JOB_NAME": "data/dbt_up/main",
    "BUILD_USER_ID": "ada",
}
JOBS = {
    "github": (
        GITHUB,
        Actor(
            system="github",
            repository="acme/dbt_up",
            ref="refs/heads/main",
            commit=SHA,
            run="42",
            pipeline="acme/dbt_up/.github/workflows/ci.yml@refs/heads/main",
            account="renovate[bot]",
        ),
    ),
    "gitlab": (
        GITLAB,
        Actor(
            system="gitlab",
            repository="acme/data/dbt_up",
            ref="main",
            commit=SHA,
            run="7",
            pipeline="publish: prod",
            account="ada",
        ),
    ),
    "buildkite": (
        BUILDKITE,
        Actor(
            system="buildkite", repository="acme/dbt_up", ref="main", commit=SHA, run="1514", pipeline="publish-dbt-up"
        ),
    ),
    "jenkins": (
        JENKINS,
        Actor(
            system="jenkins",
            repository="acme/dbt_up",
            ref="origin/main",
            commit=SHA,
            run="42",
            pipeline="data/dbt_up/main",
        ),
    ),
}
# A fact of an actor -> the variable of GitHub that tells it.
VARIABLES = {
    "repository": "GITHUB_REPOSITORY",
    "ref": "GITHUB_REF",
    "commit": "GITHUB_SHA",
    "run": "GITHUB_RUN_ID",
    "pipeline": "GITHUB_WORKFLOW_REF",
    "account": "GITHUB_ACTOR",
}
# What no fact may look like: each would be more than a name to a reader, a terminal or a log.
MORE_THAN_A_FACT = {
    "a-line-more": "main\n::set-output name=x::y",
    "a-line-end": "main\n",
    "a-carriage-return": "main\rerased",
    "an-escape": "main\x1b[2J\x1b]0;owned\x07",
    "an-8-bit-escape": "main\x9b31m",
    "a-nul": "main\x00x",
    "a-right-to-left-override": "main\u202egpj",
    "a-look-alike": "m\u0430in",
    "other-digits": "\u0664\u0662",
    "ten-kilobytes": "a/" * 5_000 + "a",
    "an-address": "ada@example.com",
    "an-address-in-a-path": "acme/ada@example.com/x",
    "a-token-in-a-url": f"https://x-access-token:{TOKEN}@github.com/acme/dbt_up.git?{TOKEN}",
    "a-host": "https://ci.corp.example/job/7",
    "a-home": "/home/ada/dbt_up",
    "a-home-on-windows": "C:\\Users\\ada",
    "a-way-up": "acme/../../etc",
    "a-hidden-way-up": "..",
    "jinja": "{{ env_var('TOKEN') }}",
    "markup": "[link](https://example.com)",
    "a-shell": "$(curl example.com)",
    "nothing": "",
    "a-blank": " ",
}


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    _git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    who = "-c", "user.name=Ada", "-c", "user.email=ada@example.com"
    _git(tmp_path, *who, "commit", "--quiet", "--allow-empty", "--message", "first")
    return tmp_path


@pytest.mark.parametrize("system", JOBS)
def test_a_job_is_told_by_its_systems_variables(checkout: Path, system: str) -> None:
    environment, expected = JOBS[system]
    assert identify_actor(environment, checkout) == expected


@pytest.mark.parametrize("system", JOBS)
def test_no_person_no_host_and_no_token_of_a_job_is_told(tmp_path, system: str) -> None:
    told = repr(identify_actor(JOBS[system][0], tmp_path))
    for private in ("Lovelace", "example", "corp", "secret", "http"):
        assert private not in told
    if system == "jenkins":
        assert "ada" not in told  # BUILD_USER_ID is a person's id


@pytest.mark.parametrize("fact", VARIABLES)
@pytest.mark.parametrize("text", MORE_THAN_A_FACT.values(), ids=MORE_THAN_A_FACT)
def test_a_value_that_is_more_than_a_fact_is_left_out_whole(tmp_path, fact: str, text: str) -> None:
    found = identify_actor(GITHUB | {VARIABLES[fact]: text}, tmp_path)
    assert getattr(found, fact) is None
    assert "secret" not in repr(found)


@pytest.mark.parametrize("fact", ["ref", "pipeline", "account"])
def test_the_other_facts_stay_where_one_is_left_out(tmp_path, fact: str) -> None:
    found = identify_actor(GITHUB | {VARIABLES[fact]: "\x1b"}, tmp_path)
    assert found == msgspec.structs.replace(JOBS["github"][1], **{fact: None})


@pytest.mark.parametrize("account", ["ada", "Ada-1", "renovate[bot]", "a" * 39])
def test_a_handle_is_told(tmp_path, account: str) -> None:
    assert identify_actor(GITHUB | {"GITHUB_ACTOR": account}, tmp_path).account == account


@pytest.mark.parametrize("account", [TOKEN, "0f" * 20, "ada.lovelace", "-ada", "ada[bot][bot]", "[bot]", "a" * 45])
def test_what_may_be_a_token_or_a_name_is_no_handle(tmp_path, account: str) -> None:
    assert identify_actor(GITHUB | {"GITHUB_ACTOR": account}, tmp_path).account is None


@pytest.mark.parametrize(
    "ref", ["main", "refs/heads/feature/x-1", "refs/tags/v1.2.3", "refs/pull/12/merge", "release+1", "fix#7"]
)
def test_a_branch_a_tag_and_a_merge_are_told(tmp_path, ref: str) -> None:
    assert identify_actor(GITHUB | {"GITHUB_REF": ref}, tmp_path).ref == ref


@pytest.mark.parametrize(
    "left_over",
    [
        {"GITHUB_REPOSITORY": "acme/other"},
        {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/other"},
        {"GITHUB_ACTIONS": "false"} | {k: v for k, v in GITHUB.items() if k != "GITHUB_ACTIONS"},
        {k: v for k, v in GITHUB.items() if k != "GITHUB_RUN_ID"},
        {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "x", "GITHUB_REPOSITORY": "acme/other", "GITHUB_SHA": SHA},
        {"CI_PROJECT_PATH": "acme/other", "CI_COMMIT_SHA": SHA, "CI": "true"},
        {"BUILD_NUMBER": "7", "GIT_URL": "git@github.com:acme/other.git", "GIT_COMMIT": SHA},
    ],
)
def test_variables_without_a_job_are_not_believed(checkout: Path, left_over: dict[str, str]) -> None:
    assert identify_actor(left_over, checkout) == identify_actor({}, checkout)


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_SHA"])
def test_a_job_that_does_not_tell_what_it_built_leaves_that_to_the_checkout(checkout: Path, missing: str) -> None:
    found = identify_actor({key: value for key, value in GITHUB.items() if key != missing}, checkout)
    told = identify_actor({}, checkout)
    assert (found.system, found.run) == ("github", "42")
    assert (found.repository, found.ref, found.commit) == (None, "refs/heads/main", told.commit)


def test_a_half_set_system_does_not_hide_the_one_that_runs(tmp_path) -> None:
    assert identify_actor({"GITHUB_ACTIONS": "true"} | BUILDKITE, tmp_path) == JOBS["buildkite"][1]


def test_two_systems_are_never_mixed(tmp_path) -> None:
    both = JENKINS | {key: value for key, value in GITHUB.items() if key != "GITHUB_WORKFLOW_REF"}
    assert identify_actor(both, tmp_path) == msgspec.structs.replace(JOBS["github"][1], pipeline=None)


def test_a_checkout_is_told_by_its_commit_and_branch(checkout: Path) -> None:
    found = identify_actor({}, checkout)
    assert (found.system, found.repository, found.ref, found.run) == ("git", None, "refs/heads/main", None)
    assert len(found.commit or "") == 40


def test_a_checkout_without_a_commit_tells_nothing(tmp_path) -> None:
    _git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    assert identify_actor({}, tmp_path) == Actor()


def test_a_detached_checkout_has_no_branch(checkout: Path) -> None:
    _git(checkout, "checkout", "--quiet", "--detach")
    assert identify_actor({}, checkout).ref is None


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://github.com/acme/dbt_up.git", "acme/dbt_up"),
        ("https://github.com/acme/dbt_up", "acme/dbt_up"),
        ("https://ghp_secret@github.com/acme/dbt_up.git", "acme/dbt_up"),
        ("git@github.com:acme/dbt_up.git", "acme/dbt_up"),
        ("ssh://git@example.com:2222/acme/dbt_up.git", "acme/dbt_up"),
        ("https://x-access-token:ghp_secret@github.com/acme/dbt_up.git", "acme/dbt_up"),
    ],
)
def test_a_remote_is_told_by_its_owner_and_name(checkout: Path, url: str, repository: str) -> None:
    _git(checkout, "remote", "add", "origin", url)
    assert identify_actor({}, checkout).repository == repository


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:ghp_secret@github.com/acme/dbt_up.git",
        "https://ada:ghp/secret@github.com/acme/dbt_up.git",
        "https://ada:12/ghp_secret",
        "https://ghp_secret@github.com/acme/dbt_up?token=ghp_secret",
        "file:///home/ada.git",
        "file:///home/ada/secret",
        "/home/ada/secret",
        "../ada/secret",
        "C:\\Users\\ada\\secret",
        "C:/ada/secret",
        "https://github.com/acme/dbt_up\nsecret",
        "https://github.com/" + "secret" * 400 + "/dbt_up",
    ],
)
def test_a_token_a_person_and_a_path_in_a_remote_are_left_out(checkout: Path, url: str) -> None:
    _git(checkout, "remote", "add", "origin", url)
    told = str(identify_actor({}, checkout).repository)
    assert "secret" not in told
    assert "ada" not in told


def test_outside_a_checkout_nobody_is_known(tmp_path) -> None:
    found = identify_actor({}, tmp_path)
    assert found == Actor()
    assert str(found) == "an unnamed publisher"


def test_without_git_nobody_is_known(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout / "empty"))
    assert shutil.which("git") is None
    assert identify_actor({}, checkout) == Actor()


def test_a_git_that_hangs_is_not_waited_for(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_args: object, **_options: object) -> None:
        raise subprocess.TimeoutExpired("git", 5)

    monkeypatch.setattr(subprocess, "run", hang)
    assert identify_actor({}, tmp_path) == Actor()


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"repository": "acme/dbt_up", "ref": "main", "commit": SHA, "run": "42"}, "acme/dbt_up main 0123456789ab"),
        ({"system": "jenkins", "pipeline": "data/x", "run": "42", "commit": SHA}, "jenkins data/x 42 0123456789ab"),
        ({"system": "git", "ref": "main", "commit": SHA}, "main 0123456789ab"),
        ({"account": "ada"}, "an unnamed publisher"),
    ],
)
def test_an_actor_is_shown_in_one_short_line(facts: dict[str, str], shown: str) -> None:
    assert str(Actor(**facts)) == shown


@pytest.mark.parametrize("fact", ["system", *VARIABLES])
@pytest.mark.parametrize("text", MORE_THAN_A_FACT.values(), ids=MORE_THAN_A_FACT)
def test_a_record_of_somebody_else_cannot_reach_the_terminal(fact: str, text: str) -> None:
    """The record comes from a registry that others may have written to: only facts are shown."""
    shown = str(msgspec.structs.replace(JOBS["jenkins"][1], **{fact: text}))
    assert shown.isprintable()
    assert shown.isascii()
    assert not text.strip() or text not in shown


def test_every_fact_of_an_actor_has_its_own_pattern() -> None:
    """A field more without one would be published unchecked."""
    assert set(msgspec.structs.asdict(Actor())) == {"system", *VARIABLES}
    with pytest.raises(KeyError):
        Actor.of({"person": "ada"})


@pytest.mark.parametrize("given", [{}, {"repository": "acme/dbt_up", "commit": "abc", "new_in_v2": 1}])
def test_a_record_from_before_and_after_reads(given: dict[str, object]) -> None:
    assert msgspec.convert(given, Actor).run is None
