"""Whatever the real connector raises becomes one of our errors: Snowflake's words, what to type next, nothing secret.

The connector talks over HTTP to a server that answers as Snowflake does, or not at all.
"""

import gzip
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import errors

from registry_tools.account import connection
from registry_tools.account.connection import LiveSession, open_session
from registry_tools.account.refusals import statement_refused
from registry_tools.errors import AccountError, AnswerLost

Answer = dict[str, Any] | None
LOGGED_IN = {"success": True, "data": {"token": "t0ken", "masterToken": "m4ster", "parameters": [], "sessionInfo": {}}}
DONE = {
    "success": True,
    "data": {
        "rowtype": [
            {"name": "status", "type": "text", "nullable": False, "length": 99, "precision": None, "scale": None}
        ],
        "rowset": [["done"]],
        "queryResultFormat": "json",
        "queryId": "01ab",
        "parameters": [],
        "total": 1,
        "returned": 1,
    },
}


def declined(code: str, message: str) -> dict[str, Any]:
    data = {"errorCode": code, "sqlState": "42501", "queryId": "01ab2c3d-0000-1234-0000-000000000000"}
    return {"success": False, "code": code, "message": message, "data": data}


class _Handler(BaseHTTPRequestHandler):
    """Answers a login and each query with what the server has for it; None hangs up without a word."""

    server: "_Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "login-request" in self.path:
            answer = self.server.login
        elif "query-request" in self.path:
            self.server.sent.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
            answer = self.server.answers.pop(0) if self.server.answers else DONE
        else:
            answer = {"success": True, "data": {}}
        if answer is None:
            self.connection.close()
            return
        written = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing is written anywhere."""


class _Server(ThreadingHTTPServer):
    login: Answer = LOGGED_IN

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.sent: list[bytes] = []

    def handle_error(self, *_arguments: Any) -> None:
        """A connection that was cut on purpose is no news."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOGIN", "_ANSWER"):
        monkeypatch.setattr(connection, name, 2)


@contextmanager
def logged_in(server: _Server) -> Iterator[LiveSession]:
    port = str(server.server_address[1])
    with open_session({"DBT_MESH_LOCAL_WAREHOUSE_PORT": port}, embedded=True) as session:
        yield session


def key_of(folder: Path, passphrase: str) -> str:
    file = folder / "key.p8"
    made = "openssl genrsa 2048 | openssl pkcs8 -topk8 -v2 aes-256-cbc -passout env:WORD"
    content = subprocess.run(
        ["bash", "-c", made], env={"PATH": "/usr/bin:/bin", "WORD": passphrase}, capture_output=True, check=True
    ).stdout
    file.write_bytes(content)
    return str(file)


def fails(variables: dict[str, str]) -> AccountError:
    with pytest.raises(AccountError) as caught, open_session(variables):
        pass
    assert caught.value.exit_code == 3
    assert caught.value.__cause__ is None  # what the connector holds of a login is not carried along
    return caught.value


def test_rows_come_by_the_names_of_their_columns(server: _Server) -> None:
    with logged_in(server) as session:
        assert session.run("show databases") == [{"status": "done"}]
    assert b"use secondary roles none" in server.sent[0]


def test_a_statement_that_is_declined_is_told_in_snowflakes_words(server: _Server) -> None:
    with logged_in(server) as session:
        server.answers = [declined("003001", "SQL access control error:\nInsufficient privileges to operate on 'X'")]
        with pytest.raises(AccountError) as caught:
            session.run("alter user X set rsa_public_key = 'MIIBIjANBgkqhkiG9w0' comment = 'it''s'")
    error = caught.value
    assert not isinstance(error, AnswerLost)
    assert error.what == "Snowflake declined: SQL access control error: Insufficient privileges to operate on 'X'"
    assert error.details == (
        "in alter user X set rsa_public_key = '...' comment = '...'",
        "query 01ab2c3d-0000-1234-0000-000000000000",
    )
    assert "a user with the role that the file names" in error.then


@pytest.mark.parametrize(
    ("code", "message", "then"),
    [
        ("002003", "Object 'X' does not exist or not authorized.", "mesh snowflake plan says whether it is there"),
        ("390114", "Authentication token has expired.  The user must authenticate again.", "log in once more"),
        ("001003", "syntax error line 1 at position 0", "see the statement"),
    ],
)
def test_each_refusal_has_something_to_type(server: _Server, code: str, message: str, then: str) -> None:
    with logged_in(server) as session:
        server.answers = [declined(code, message)]
        with pytest.raises(AccountError) as caught:
            session.run("drop database X")
    assert not isinstance(caught.value, AnswerLost)
    assert then in caught.value.then


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_breaks_after_a_statement_leaves_its_outcome_unknown(server: _Server) -> None:
    with logged_in(server) as session:
        server.answers = [None] * 1000
        with pytest.raises(AnswerLost, match="no answer came, so nobody knows") as caught:
            session.run("drop database X")
        server.answers = []
    assert "mesh snowflake plan" in caught.value.then


@pytest.mark.parametrize(
    ("raised", "lost"),
    [
        (errors.ProgrammingError(msg="no", errno=3001, sqlstate="42501"), False),
        (errors.DatabaseError(msg="expired", errno=390114), False),
        (errors.OperationalError(msg="cancelled", errno=604, sfqid="01ab"), False),
        (errors.OperationalError(msg="no answer", errno=250001, sfqid="01ab"), True),
        (errors.OperationalError(msg="no answer"), True),
        (errors.InterfaceError(msg="no connection", errno=250003), True),
        (errors.GatewayTimeoutError(msg="504"), True),
        (ConnectionResetError(104, "reset by peer"), True),
        (KeyError("rowtype"), True),
    ],
)
def test_only_what_snowflake_itself_declined_was_not_done(raised: Exception, *, lost: bool) -> None:
    error = statement_refused(raised, "drop database X", "acme")
    assert isinstance(error, AnswerLost) is lost
    assert error.where == "acme"


@pytest.mark.usefixtures("impatient")
def test_a_host_that_is_not_there(server: _Server) -> None:
    port = server.server_address[1]
    server.shutdown()
    server.server_close()
    with (
        pytest.raises(AccountError, match="Snowflake does not answer") as caught,
        open_session({"DBT_MESH_LOCAL_WAREHOUSE_PORT": str(port)}, embedded=True),
    ):
        pass
    assert "organization-account" in caught.value.then


@pytest.mark.parametrize(
    ("code", "message", "then"),
    [
        ("390144", "JWT token is invalid. [7fb87e37]", "setup_keypair_auth.sh check"),
        ("390100", "Incorrect username or password was specified.", "SNOWFLAKE_USER"),
        ("390189", "Role 'X' specified in the connect string is not granted to this user.", "SNOWFLAKE_ROLE"),
        ("390422", "Incoming request with IP/Token 1.2.3.4 is not allowed to access Snowflake.", "network policy"),
        ("390433", "The user is disabled.", "how it proves who it is"),
    ],
)
def test_a_login_that_is_refused(server: _Server, code: str, message: str, then: str) -> None:
    server.login = declined(code, message)
    with pytest.raises(AccountError) as caught, logged_in(server):
        pass
    assert message.split(".", maxsplit=1)[0] in caught.value.what
    assert then in caught.value.then
    assert "t0ken" not in str(caught.value)


def test_wrong_passphrases_and_wrong_keys_are_told_without_them(tmp_path: Path) -> None:
    key = key_of(tmp_path, "right-passphrase")
    variables = {"SNOWFLAKE_ACCOUNT": "a-b", "SNOWFLAKE_USER": "U", "SNOWFLAKE_PRIVATE_KEY_PATH": key}
    wrong = fails({**variables, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "wrong-passphrase"})
    assert "could not decrypt key" in wrong.what
    assert "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE" in wrong.then
    assert "wrong-passphrase" not in str(wrong)
    missing = fails(variables)
    assert missing.then == "export SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
    Path(key).write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    broken = fails(variables)
    assert "setup_keypair_auth.sh makes a key that fits" in broken.then
    assert "c2VjcmV0" not in str(broken)


def test_an_aws_role_is_shown_to_snowflakes_hosts_alone() -> None:
    variables = {"SNOWFLAKE_ACCOUNT": "a-b", "SNOWFLAKE_AUTHENTICATOR": "workload_identity"}
    error = fails({**variables, "SNOWFLAKE_HOST": "127.0.0.1"})
    assert "requires a recognized Snowflake host" in error.what
    assert error.then == "unset SNOWFLAKE_HOST"


@pytest.mark.parametrize("password", ["hunter22hunter22", "hunter22  hunter22"])
def test_a_password_in_snowflakes_message_is_not_repeated(tmp_path: Path, server: _Server, password: str) -> None:
    server.login = declined("390100", f"Incorrect username or password was specified: {password}.")
    (tmp_path / "connections.toml").write_text(
        f'[admin]\naccount = "a"\nuser = "U"\npassword = "{password}"\nhost = "127.0.0.1"\nprotocol = "http"\n'
        f"port = {server.server_address[1]}\n"
    )
    with pytest.raises(AccountError) as caught, open_session({"SNOWFLAKE_HOME": str(tmp_path)}, connection="admin"):
        pass
    assert "hunter22" not in str(caught.value)
    assert "***" in caught.value.what
