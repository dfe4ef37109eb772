"""setup_keypair_auth.sh makes keys that Snowflake's tools take, with SQL inside the model, and shows nothing secret."""

import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.snowflake.connections import SnowflakeCredentials
from sqlfluff.core import Linter

from registry_tools.account.login import login_parameters
from registry_tools.checks.access.running import run as run_model
from registry_tools.mesh.account import Securable
from tests.account.conftest import Setting

SCRIPT = Path(__file__).resolve().parents[2] / "snowflake_setup/setup_keypair_auth.sh"
PASSPHRASE = "correct horse battery"
pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("bash") is None,
    reason="needs bash and openssl: apt-get install openssl",
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(*words: str, passphrase: str | None = PASSPHRASE, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **options.pop("env", {})}
    if passphrase is not None:
        environment["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] = passphrase
    command = ["bash", *options.pop("flags", []), str(SCRIPT), *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options
    )


def fingerprint_of(result: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"SHA256:[A-Za-z0-9+/=]+", result.stderr)
    assert found, result.stderr
    return found.group()


def test_the_key_is_encrypted_and_for_its_owner_alone(here: Path) -> None:
    result = script("create", "--user", "dbt_up_svc")
    assert result.returncode == 0, result.stderr
    file = here / "dbt_up_svc.p8"
    assert file.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in here.iterdir()] == ["dbt_up_svc.p8"]


def test_dbt_and_the_connector_take_the_key_with_its_passphrase(here: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    script("create", "--user", "DBT_UP_SVC", "--key", "a key.p8")
    credentials: Any = SnowflakeCredentials(
        account="acme-prod",
        database="D",
        schema="S",
        user="DBT_UP_SVC",
        private_key_path=str(here / "a key.p8"),
        private_key_passphrase=PASSPHRASE,
    )
    der = credentials.auth_args()["private_key"]
    key: Any = serialization.load_der_private_key(der, None)
    assert key.key_size == 2048
    variables = {"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "U", "SNOWFLAKE_PRIVATE_KEY_PATH": "a key.p8"}
    assert login_parameters(variables)["authenticator"] == "SNOWFLAKE_JWT"


def test_the_sql_registers_the_public_half_and_is_inside_the_model(setting: Setting) -> None:
    fake = setting.set_up()
    user = Securable("USER", ("DBT_UP_SVC",))
    first = script("create", "--user", "dbt_up_svc").stdout
    second = script("rotate", "--user", "dbt_up_svc", "--key", "next.p8").stdout
    retired = script("retire", "--user", "dbt_up_svc").stdout
    held = []
    for sql in (first, second, retired):
        fake.account, _ = run_model(sql, fake.account)
        held.append(sorted(key for key in fake.account.objects[user].settings if key.startswith("RSA_")))
    assert held == [["RSA_PUBLIC_KEY"], ["RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"], ["RSA_PUBLIC_KEY_2"]]
    # what stands there is the one line of base64 that Snowflake takes
    assert re.fullmatch(r"MII[A-Za-z0-9+/=]{300,}", fake.account.objects[user].settings["RSA_PUBLIC_KEY_2"])
    third = script("rotate", "--user", "dbt_up_svc", "--key", "third.p8", "--slot", "1")
    assert "set rsa_public_key = '" in third.stdout
    assert "retire --user DBT_UP_SVC --slot 2" in third.stderr


def test_the_sql_parses() -> None:
    linter = Linter(dialect="snowflake")
    for words in (["create", "--user", "U"], ["rotate", "--user", "U", "--key", "n.p8"], ["retire", "--user", "U"]):
        parsed = linter.parse_string(script(*words).stdout)
        assert parsed.violations == []
        tree: Any = parsed.tree
        assert "unparsable" not in tree.stringify()


def test_nothing_secret_is_shown_not_even_in_a_trace(here: Path) -> None:
    for flags in ([], ["-x"]):
        result = script("create", "--user", f"u{len(flags)}", "--generate-passphrase", passphrase=None, flags=flags)
        assert result.returncode == 0, result.stderr
        shown = result.stdout + result.stderr
        name = f"u{len(flags)}.p8"
        assert (here / f"{name}.pass").read_text().strip() not in shown
        assert "PRIVATE KEY" not in shown
        body = (here / name).read_text().splitlines()[1]
        assert body not in shown


def test_a_generated_passphrase_is_for_its_owner_alone_and_opens_the_key(here: Path) -> None:
    script("create", "--user", "u", "--generate-passphrase", passphrase=None)
    kept = here / "u.p8.pass"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(kept.read_text().strip()) == 44
    assert "SHA256:" in script("check", "--user", "u", passphrase=None).stdout


def test_nothing_is_overwritten(here: Path) -> None:
    script("create", "--user", "u")
    before = (here / "u.p8").read_bytes()
    result = script("create", "--user", "u")
    assert result.returncode == 2
    assert "u.p8 exists, and is not overwritten" in result.stderr
    assert result.stdout == ""
    (here / "v.p8.pass").write_text("mine\n")
    result = script("create", "--user", "v", "--generate-passphrase", passphrase=None)
    assert result.returncode == 2
    assert (here / "v.p8.pass").read_text() == "mine\n"
    assert (here / "u.p8").read_bytes() == before
    assert sorted(path.name for path in here.iterdir()) == ["u.p8", "v.p8.pass"]


def test_what_is_not_finished_is_not_left_behind(here: Path) -> None:
    tools = here / "bin"
    tools.mkdir()
    real = shutil.which("openssl")
    (tools / "openssl").write_text(f'#!/bin/sh\n[ "$1" = pkcs8 ] && exit 1\nexec {real} "$@"\n')
    (tools / "openssl").chmod(0o755)
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    result = script("create", "--user", "u", "--generate-passphrase", passphrase=None, env=path)
    assert result.returncode == 3
    assert "openssl made no key" in result.stderr
    assert [path.name for path in here.iterdir()] == ["bin"]


def test_a_full_disk_leaves_nothing_behind(here: Path) -> None:
    tools = here / "bin"
    tools.mkdir()
    real = shutil.which("openssl")
    # what openssl 3.0 does on a full disk: half of the file, and no word of it
    (tools / "openssl").write_text(
        f'#!/bin/sh\n[ "$1" != pkcs8 ] || {{ {real} "$@" | head -c 1000; exit; }}\nexec {real} "$@"\n'
    )
    (tools / "openssl").chmod(0o755)
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    result = script("create", "--user", "u", "--generate-passphrase", passphrase=None, env=path)
    assert result.returncode == 3
    assert "u.p8 was not written whole" in result.stderr
    assert [path.name for path in here.iterdir()] == ["bin"]


def test_a_file_whose_name_begins_with_a_dash_is_a_file(here: Path) -> None:
    assert script("create", "--user", "u", "--key", "-in.p8").returncode == 0
    assert "SHA256:" in script("check", "--user", "u", "--key", "-in.p8").stdout
    assert [path.name for path in here.iterdir()] == ["-in.p8"]


def test_the_fingerprint_is_held_against_the_accounts() -> None:
    made = fingerprint_of(script("create", "--user", "u"))
    asked = script("check", "--user", "u")
    assert asked.stdout == f"-- RSA_PUBLIC_KEY_FP or RSA_PUBLIC_KEY_2_FP has to be {made}\ndescribe user U;\n"
    assert script("check", "--user", "u", "--fingerprint", made).returncode == 0
    other = script("check", "--user", "u", "--fingerprint", "SHA256:AAAA")
    assert other.returncode == 1
    assert "U does not have this key" in other.stderr
    wrong = script("check", "--user", "u", passphrase="another passphrase")
    assert wrong.returncode == 2
    assert "cannot be read with this passphrase" in wrong.stderr
    assert "another passphrase" not in wrong.stderr


def test_the_fingerprint_is_snowflakes(here: Path) -> None:
    """SHA-256 over the DER of the public key, in base64: what DESCRIBE USER shows, by another implementation."""
    import base64
    import hashlib

    from cryptography.hazmat.primitives import serialization

    made = fingerprint_of(script("create", "--user", "u"))
    key = serialization.load_pem_private_key((here / "u.p8").read_bytes(), PASSPHRASE.encode())
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert made == "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


@pytest.fixture
def path(here: Path) -> dict[str, str]:
    """The way to a mesh that writes down what it is asked, and whose account has the keys in $FOUND."""
    tools = here / "bin"
    tools.mkdir()
    (tools / "mesh").write_text(
        '#!/bin/sh\necho "$@" >> calls\n[ "$2" = apply ] && cat "$3" >> calls\n'
        '[ "$2" = keys ] && echo "$FOUND"\n[ "$2" = "$FAILING" ] && exit 3\nexit 0\n'
    )
    (tools / "mesh").chmod(0o755)
    return {"PATH": f"{tools}:{os.environ['PATH']}"}


def test_apply_runs_the_sql_by_mesh_with_its_own_flags(here: Path, path: dict[str, str]) -> None:
    made = script("create", "--user", "u", "--apply", "--", "--connection", "my admin", "--yes", env=path)
    assert made.returncode == 0, made.stderr
    asked, _, calls = (here / "calls").read_text().partition("\n")
    assert asked == "snowflake keys U --connection my admin"
    assert re.match(r"snowflake apply \S+ --connection my admin --yes\n", calls)
    assert "alter user U set rsa_public_key = 'MII" in calls
    assert not Path(calls.split()[2]).exists()
    found = {**path, "FOUND": f"  RSA_PUBLIC_KEY_FP  {fingerprint_of(made)}"}
    assert script("check", "--user", "u", "--apply", env=found).returncode == 0
    assert script("check", "--user", "u", "--apply", env=path).returncode == 1
    assert (here / "calls").read_text().endswith("snowflake keys U\n")


PAGES = "\n".join((SCRIPT.parents[1] / "docs" / name).read_text() for name in ("setup.md", "operations.md"))
SHOWN = re.findall(r"^\$ snowflake_setup/setup_keypair_auth\.sh (.*)$", PAGES, re.MULTILINE)


@pytest.mark.parametrize("line", SHOWN)
def test_what_the_pages_type_is_taken(here: Path, path: dict[str, str], line: str) -> None:
    result = script(*shlex.split(line), passphrase=None, env=path)
    assert result.returncode == 0, result.stderr
    assert "--connection admin" in (here / "calls").read_text()


def test_the_pages_show_a_key_from_its_beginning_to_its_end() -> None:
    assert [line.split()[0] for line in SHOWN] == ["create", "rotate", "retire"]


ONE = "✓ U\n  RSA_PUBLIC_KEY_FP  SHA256:one="
TWO = "✓ U\n  RSA_PUBLIC_KEY_2_FP  SHA256:two="
BOTH = f"{ONE}\n{TWO}"


@pytest.mark.parametrize(
    ("words", "found", "says"),
    [
        (["create"], ONE, "rotate into slot 2, or setup_keypair_auth.sh retire --user U --slot 1"),
        (["rotate", "--key", "n.p8"], BOTH, "U has a key in slot 2"),
        (["rotate", "--key", "n.p8"], TWO, "rotate into slot 1"),
        (["rotate", "--key", "n.p8", "--slot", "1"], BOTH, "U has a key in slot 1"),
    ],
    ids=["create", "twice the same", "the second is in use", "both are"],
)
def test_a_key_that_is_in_use_is_not_replaced(
    here: Path, path: dict[str, str], words: list[str], found: str, says: str
) -> None:
    result = script(words[0], "--user", "u", *words[1:], "--apply", "--", "--yes", env={**path, "FOUND": found})
    assert result.returncode == 1
    assert says in result.stderr
    assert (here / "calls").read_text() == "snowflake keys U\n"
    assert sorted(path.name for path in here.iterdir()) == ["bin", "calls"]


@pytest.mark.parametrize(("found", "warned"), [(ONE, True), (BOTH, False), (TWO, False)], ids=["one", "both", "two"])
def test_whoever_retires_the_only_key_is_told(here: Path, path: dict[str, str], found: str, *, warned: bool) -> None:
    result = script("retire", "--user", "u", "--apply", env={**path, "FOUND": found})
    assert result.returncode == 0  # somebody may have stolen it
    assert ("U has no other key" in result.stderr) is warned
    assert "alter user U unset rsa_public_key;" in (here / "calls").read_text()


def test_without_an_account_the_sql_says_what_to_look_at() -> None:
    assert "-- only where describe user shows no RSA_PUBLIC_KEY_FP:" in script("create", "--user", "u").stdout
    rotated = script("rotate", "--user", "u", "--key", "next.p8").stdout
    assert "-- only where describe user shows no RSA_PUBLIC_KEY_2_FP:" in rotated
    assert "-- only where describe user shows RSA_PUBLIC_KEY_2_FP," in script("retire", "--user", "u").stdout


@pytest.mark.parametrize(("failing", "made"), [("keys", []), ("apply", ["u.p8"])])
def test_where_the_account_cannot_be_asked_it_is_said_what_to_do(
    here: Path, path: dict[str, str], failing: str, made: list[str]
) -> None:
    result = script("create", "--user", "u", "--apply", env={**path, "FAILING": failing})
    assert result.returncode == 3
    says = {"keys": "nobody says which keys U has", "apply": "remove u.p8, which nobody knows, and run it again"}
    assert says[failing] in result.stderr
    assert sorted(path.name for path in here.iterdir()) == sorted(["bin", "calls", *made])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Usage:"),
        (["destroy"], "Usage:"),
        (["create"], "type --user NAME"),
        (["create", "--user", "a'; drop user b; --"], "no name of Snowflake's"),
        (["create", "--user"], "--user says nothing"),
        (["create", "--user", "u", "--force"], "--force is no option"),
        (["create", "--user", "u", "--key", "nowhere/u.p8"], "there is no folder nowhere"),
        (["rotate", "--user", "u"], "where the new key goes"),
        (["retire", "--user", "u", "--slot", "3"], "--slot is 1 or 2"),
        (["check", "--user", "u"], "u.p8 is missing"),
    ],
)
def test_what_is_typed_wrongly_is_said(here: Path, words: list[str], says: str) -> None:
    result = script(*words)
    assert result.returncode == 2
    assert says in result.stderr
    assert list(here.iterdir()) == []


def test_short_and_missing_passphrases(here: Path) -> None:
    assert "fewer than 8 characters" in script("create", "--user", "u", passphrase="short").stderr
    assert "nothing says a passphrase" in script("create", "--user", "u", passphrase=None).stderr
    assert list(here.iterdir()) == []


def test_on_a_terminal_the_passphrase_is_asked_for_twice_and_not_echoed(here: Path) -> None:
    shown, status = on_a_terminal(["create", "--user", "u"], [PASSPHRASE, PASSPHRASE])
    assert status == 0, shown
    assert PASSPHRASE not in shown
    assert "SHA256:" in script("check", "--user", "u").stdout
    shown, status = on_a_terminal(["create", "--user", "v"], [PASSPHRASE, "something else"])
    assert status == 2
    assert "the two passphrases differ" in shown
    assert not (here / "v.p8").exists()


def test_the_terminal_shows_again_what_is_typed_afterwards(here: Path) -> None:
    left = 'before=$(stty -g); bash "$@" >/dev/null; test "$(stty -g)" = "$before" && echo as before'
    shown, _ = on_a_terminal(["create", "--user", "u"], [PASSPHRASE, PASSPHRASE], ["-c", left, "bash"])
    assert "unbound" not in shown
    assert "as before" in shown
    assert (here / "u.p8").exists()


@pytest.mark.parametrize("typed", [["\x03"], [PASSPHRASE, "\x03"]], ids=["at the first", "at the second"])
def test_control_c_ends_it(here: Path, typed: list[str]) -> None:
    shown, status = on_a_terminal(["create", "--user", "u"], typed)
    assert status == 256 - signal.SIGINT
    assert ("once more" in shown, "error" in shown) == (len(typed) == 2, False)
    assert list(here.iterdir()) == []


def on_a_terminal(words: list[str], typed: list[str], around: Sequence[str] = ()) -> tuple[str, int]:
    """What a terminal shows when these lines (or control characters) are typed, each at a prompt; and the exit code."""
    # whoever runs the tests in the background has them ignore SIGINT, and what is ignored is inherited
    spawn = (
        "import os, pty, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        " sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])) % 256)"
    )
    environment = {name: value for name, value in os.environ.items() if "PASSPHRASE" not in name}
    command = [sys.executable, "-c", spawn, "bash", *around, str(SCRIPT), *words]
    waiting, shown = list(typed), b""
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        late = threading.Timer(60, process.kill)  # it waits for what nobody types
        late.start()
        assert process.stdin
        assert process.stdout
        while chunk := os.read(process.stdout.fileno(), 1024):
            shown += chunk
            if waiting and chunk.endswith(b": "):
                line = waiting.pop(0)
                process.stdin.write((line if line < " " else f"{line}\n").encode())
                process.stdin.flush()
        late.cancel()
    return shown.decode(), process.returncode
