"""A session or a file and what mesh.yml says in, the account as it is out."""

import json
from pathlib import Path

from registry_tools.account.session import Session
from registry_tools.account.shown import fingerprints, text
from registry_tools.account.snapshot import Scope, read_account
from registry_tools.errors import AccountError
from registry_tools.intake.account_file import read_account_file
from registry_tools.mesh.account import Account, Entry, Securable
from registry_tools.mesh.account_document import Seen
from registry_tools.mesh.deployment import Deployment
from registry_tools.mesh.progress import Told, unheard


def see_live(session: Session, deployment: Deployment, told: Told = unheard) -> Seen:
    """The account that the session is at. Raises AccountError."""
    return read_account(session, Scope.of(deployment), told)


def see_file(path: Path) -> Seen:
    """The account that was read before. Raises DocumentError."""
    return read_account_file(path)


def see_nothing(deployment: Deployment) -> Account:
    """An account in which nothing was set up yet, but for the people that mesh.yml says are there."""
    people = Scope.of(deployment).people
    return Account(objects={Securable("USER", (name,)): Entry() for name in sorted(people)})


def see_keys(session: Session, users: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The fingerprints of the public keys that each of these users has."""
    return {name: fingerprints(session.run(f"describe user {Securable('USER', (name,)).path}")) for name in users}


def see_roles(session: Session) -> frozenset[str]:
    """The roles that whoever is logged in may use: those granted to them, and all that these have."""
    (row,) = session.run("select current_available_roles() as roles")
    try:
        listed = json.loads(text(row, "roles"))
    except ValueError:
        then = "log in as somebody who has a role"
        raise AccountError("Snowflake does not say which roles there are to use", then=then) from None
    return frozenset(map(str, listed))
