"""A statement as it was typed in, the same statement in one spelling out: what regular expressions can rely on."""

import re

import sqlglot
from snowflake.connector.errors import ProgrammingError
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

# A name and a dotted path in the one spelling: upper case, quoted only where Snowflake would need the quotes.
NAME = r'(?:"(?:[^"]|"")+"|[A-Z_][A-Z0-9_$]*)'
PATH = rf"{NAME}(?:\.{NAME}){{0,2}}"
TEXT = r"'((?:[^']|'')*)'"

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")
_PART = re.compile(r'"((?:[^"]|"")+)"|([^.]+)')
_STRINGS = {TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.NATIONAL_STRING}


def one_spelling(sql: str) -> str:
    """The statement without comments and line breaks, keywords and unquoted names in upper case, every kind of string
    (dbt sends descriptions between $$) as '...'. Empty for text that is no Snowflake SQL: fakesnow then says why.
    Several statements are refused, as Snowflake does; fakesnow would run the first and be silent about the others.
    """
    try:
        tokens = sqlglot.tokenize(sql, read="snowflake")
    except TokenError:
        return ""
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    if further := sum(token.token_type is TokenType.SEMICOLON for token in tokens):
        message = f"Actual statement count {further + 1} did not match the desired statement count 1."
        raise ProgrammingError(msg=message, errno=8, sqlstate="0A000")
    spelled = ""
    for token in tokens:
        glued = token.token_type is TokenType.DOT or spelled.endswith(".") or not spelled
        spelled += _spelled(token) if glued else f" {_spelled(token)}"
    return spelled


def _spelled(token: Token) -> str:
    if token.token_type in _STRINGS:
        return "'" + token.text.replace("'", "''") + "'"
    if token.token_type is TokenType.IDENTIFIER and not _PLAIN.fullmatch(token.text):
        return '"' + token.text.replace('"', '""') + '"'
    return " ".join(token.text.upper().split())


def parts(path: str) -> tuple[str, ...]:
    """The names of a dotted path, without their quotes."""
    return tuple((quoted or plain).replace('""', '"') for quoted, plain in _PART.findall(path))


def text(literal: str) -> str:
    """What stands between the apostrophes of a literal that `TEXT` has matched."""
    return literal.replace("''", "'")
