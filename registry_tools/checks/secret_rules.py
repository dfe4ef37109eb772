"""The environment of a publisher in, the rules out by which a text is taken for a secret: a shape, and where to look.

A rule is asked only about texts that hold its probe, bytes that stand in the JSON of every text which it is about.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

# What nearly every byte of a manifest is. Without it a thirtieth is left, in which most probes are looked for first.
_COMMON: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ-@xzjqvwk"))
_SHORTEST_VALUE: Final = 8

# What people write where a secret would stand.
_PLACEHOLDER: Final = re.compile(r"EXAMPLE|\*\*\*|\.\.\.|([A-Za-z0-9])\1{7}")
_WORD: Final = re.compile(r"[a-z]+|[A-Z]+|[A-Z]?[a-z]*(?:[_.-][A-Za-z]*)*")


class Probe(NamedTuple):
    """Bytes to look for, and what of them is left among a document's traces; nothing where that says little."""

    sought: bytes | re.Pattern[bytes]
    trace: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One kind of secret. `readers` alone are spared it: in the owner's own state it may stand.

    With `pairs` a key of JSON and its text are read together, as `key: 'text'`. A match whose group `value` is a
    placeholder or, with `pairs`, a plain word is none.
    """

    id: str
    noun: str
    shape: re.Pattern[str]
    probes: tuple["Probe", ...]
    readers: bool = False
    pairs: bool = False
    literal: bool = False

    def probes_in(self, traces: bytes) -> Iterator[bytes | re.Pattern[bytes]]:
        """What to look for in a document of which `traces` are left."""
        return (probe.sought for probe in self.probes if probe.trace in traces)

    def secrets_in(self, text: str) -> Iterator[str]:
        """What in the text is one."""
        for found in self.shape.finditer(text):
            value = found.groupdict().get("value") or found.group()
            if self.literal or not (_PLACEHOLDER.search(value) or (self.pairs and _WORD.fullmatch(value))):
                yield value


def traces_of(content: bytes) -> bytes:
    """The content without its common bytes: whatever stands in the one, has its own traces standing in the other."""
    return content.translate(None, _COMMON)


def _literal(sought: str, then: bytes | None = None) -> Probe:
    """A probe for these characters, or with `then` for a pattern of bytes after them."""
    content = sought.encode("utf-8", "surrogatepass")
    return Probe(content if then is None else re.compile(re.escape(content) + then), traces_of(content))


def _rule(rule: str, noun: str, shape: str, *probes: str | Probe, **how: bool) -> Rule:
    """A rule whose shape stands alone, not inside a longer word."""
    return Rule(
        id=rule,
        noun=noun,
        shape=re.compile(rf"(?<![A-Za-z0-9])(?:{shape})"),
        probes=tuple(probe if isinstance(probe, Probe) else _literal(probe) for probe in probes),
        **how,
    )


# What stands before a password, without the letters that are written in either case, and what follows on it.
_STEMS: Final = (
    *("assword", "ASSWORD", "asswd", "ASSWD", "assphrase", "ASSPHRASE", "pwd", "Pwd", "PWD", "ecret", "ECRET"),
    *("oken", "OKEN", "_key", "-key", "_KEY", "piKey", "pikey", "ccessKey", "ccountKey", "ecretKey", "rivateKey"),
)
_ASSIGNED: Final = rb"""(?:"\s*:\s*"|(?:\\?["'])?\s*[:=])"""

# On 160 MB a probe with a trace costs 0.002 s, another one 0.05 s and more. A state can be as long as that, so what
# is looked for in it has a trace, or is what dbt projects hold most; an interface is a fiftieth of it.
RULES: Final = (
    _rule("aws-access-key", "an AWS access key id", r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9_])", "AKIA", "ASIA"),
    _rule(
        "private-key",
        "a private key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|MII[A-Za-z0-9+/]{3}IBADANBgkqhkiG9w0BAQ",
        "-----BEGIN",
        "IBADANBgkqhkiG9w0BAQ",
    ),
    # Snowflake's programmatic access tokens and most of OAuth's are such; probed by the first key of their heads
    _rule(
        "web-token",
        "a JSON Web Token",
        r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}",
        *("eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "eyJlbmMiOi", "eyJjdHkiOi", "eyJ4NX"),
    ),
    _rule("snowflake-session", "a Snowflake session token", r"ver:\d+-hint:\d+-[\w+/=-]{40,}", "ETMsDg"),
    _rule("google-key", "a Google key", r"AIza[\w-]{35}(?![\w-])|GOCSPX-[\w-]{28}", "AIza", "GOCSPX-"),
    _rule("pypi-token", "a PyPI token", r"pypi-AgEI[\w-]{50,}", "pypi-AgEI"),
    _rule(
        "slack-token", "a Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}", Probe(re.compile(rb"xox[abeoprs]-"), b"xx-")
    ),
    _rule(
        "git-token",
        "a GitHub or GitLab token",
        r"gh[opsur]_[A-Za-z0-9]{36,}|github_pat_\w{36,}|gl[a-z]{2,6}-(?=[\w-]*\d)[\w-]{20,}",
        Probe(re.compile(rb"g(?:h[opsur]_|ithub_pat_|l[a-z]{2,6}-)")),
    ),
    _rule(
        "dbt-token",
        "a dbt Cloud token",
        r"dbt[cu]_(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}",
        Probe(re.compile(rb"bt[cu]_[\w-]{20}")),
        readers=True,
    ),
    _rule("url-password", "a password in a URL", r"[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:(?P<value>[^\s/@'\"{}<>$]+)@", "@"),
    _rule(
        "stripe-key",
        "a Stripe key",
        r"[rs]k_(?:live|test)_(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{16,}",
        Probe(re.compile(rb"k_(?:live|test)_")),
        readers=True,
    ),
    _rule("npm-token", "an npm token", r"npm_[A-Za-z0-9]{36}", Probe(re.compile(rb"pm_[A-Za-z0-9]{36}")), readers=True),
    _rule(
        "slack-webhook",
        "a Slack webhook",
        r"hooks\.slack\.com/services/T\w+/B\w+/\w{20,}",
        "hooks.slack.com/services/T",
        readers=True,
    ),
    Rule(
        id="password",
        noun="a password, key or token",
        shape=re.compile(
            r"(?i:passw(?:or)?d|pwd|passphrase|secret|token|(?:api|access|account|auth|private|secret|signing)[_-]?key)"
            r"['\"]?(?:\s*(?:=>|:?=|:)\s*(?P<quote>['\"])(?=[^'\"]+(?P=quote))|:?=)(?P<value>[^\s'\"{}<>$*;,&]{6,})"
        ),
        probes=tuple(_literal(stem, _ASSIGNED) for stem in _STEMS),
        readers=True,
        pairs=True,
    ),
    _rule(
        "e-mail",
        "an e-mail address",
        r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+",
        "@",
        readers=True,
        literal=True,
    ),
    _rule(
        "home-path",
        "a path of somebody's machine",
        r"(?<![\w.~-])(?:/home/|/Users/|/root/)[\w.-]+|[A-Za-z]:\\Users\\[\w.-]+",
        *("/home/", "/Users/", "/root/", ":\\\\Users\\\\"),
        readers=True,
        literal=True,
    ),
)

# Names of variables that hold a secret, and those that may hold one or merely speak of one.
_SECRET_NAME: Final = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|APIKEY|(?:^|_)(?:(?:PASS|PAT|PWD|TOKENS?)(?:_|$)|WEBHOOK(?:_UR[IL])?$)"
)
_MAYBE_NAME: Final = re.compile(r"(?:^|_)(?:KEYS?|PRIVATE|AUTH|CREDENTIALS?)(?:_|$)")
_NO_SECRET_NAME: Final = re.compile(
    r"(?:OLD)?PWD|.*_(?:PATH|FILE|DIR|NAME|ID|ARN|ALIAS|TYPE|REGION|TTL|SOCK)", re.DOTALL
)
_PATH: Final = re.compile(r"(?:~|\.{1,2})?(?:/[\w.@ -]+)+/?|[A-Za-z]:\\.*")
_LONGEST_WORD: Final = 12


def value_rules(environment: Mapping[str, str]) -> Iterator[Rule]:
    """A rule for each variable whose name says that its value is a secret, unless the value could be any word."""
    for name, text in sorted(environment.items()):
        # of a key over several lines the longest, because others indent or join them
        value = max(text.split("\n"), key=len).strip()
        if len(value) >= _SHORTEST_VALUE and _is_secret(name.upper(), value):
            written = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
            yield Rule(
                id="environment-value",
                noun=f"the value of the environment variable {name}",
                shape=re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"),
                probes=tuple(map(_literal, sorted(written))),
                literal=True,
            )


def _is_secret(name: str, value: str) -> bool:
    if _NO_SECRET_NAME.fullmatch(name):
        return False
    if _SECRET_NAME.search(name):
        return len(value) >= _LONGEST_WORD or not _WORD.fullmatch(value)
    said = _WORD.fullmatch(value) or _PATH.fullmatch(value) or value.isdecimal()
    return bool(_MAYBE_NAME.search(name)) and not said
