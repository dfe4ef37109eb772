"""What one login knows about itself, and the statements that ask for it or change it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from registry_tools.local.warehouse.answers import DONE, Answer
from registry_tools.local.warehouse.statements import NAME, TEXT, parts, text


@dataclass(kw_only=True, slots=True)
class Session:
    """Who is logged in, as what, and the tag that its queries carry. Nothing is checked: any user may take any role."""

    user: str = ""
    role: str = "SYSADMIN"
    warehouse: str = ""
    query_tag: str = ""

    def answer(self, statement: str) -> Answer | None:
        """The answer to a statement about the session itself, in the one spelling; None for every other statement."""
        for pattern, respond in _RULES:
            if found := pattern.fullmatch(statement):
                return respond(self, found)
        return None


def _use_role(session: Session, found: re.Match[str]) -> Answer:
    (session.role,) = parts(found[1])
    return DONE


def _use_warehouse(session: Session, found: re.Match[str]) -> Answer:
    (session.warehouse,) = parts(found[1])
    return DONE


def _accept(_session: Session, _found: re.Match[str]) -> Answer:
    return DONE


def _set_query_tag(session: Session, found: re.Match[str]) -> Answer:
    session.query_tag = text(found[1])
    return DONE


def _unset_query_tag(session: Session, _found: re.Match[str]) -> Answer:
    session.query_tag = ""
    return DONE


def _show_query_tag(session: Session, _found: re.Match[str]) -> Answer:
    return Answer(
        columns=("key", "value", "default", "level", "description", "type"),
        rows=(("QUERY_TAG", session.query_tag, "", "SESSION" if session.query_tag else "", "", "STRING"),),
    )


_RULES: tuple[tuple[re.Pattern[str], Callable[[Session, re.Match[str]], Answer]], ...] = (
    (re.compile(rf"USE ROLE ({NAME})"), _use_role),
    (re.compile(rf"USE WAREHOUSE ({NAME})"), _use_warehouse),
    (re.compile(r"USE SECONDARY ROLES .+"), _accept),
    (re.compile(rf"ALTER SESSION SET QUERY_TAG = {TEXT}"), _set_query_tag),
    (re.compile(r"ALTER SESSION UNSET QUERY_TAG"), _unset_query_tag),
    # The one parameter that dbt asks for; fakesnow answers the others with no row at all.
    (re.compile(r"SHOW PARAMETERS LIKE '(?i:query_tag)'(?: IN SESSION)?"), _show_query_tag),
)
