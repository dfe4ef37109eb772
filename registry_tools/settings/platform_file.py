"""The keys of mesh.yml about Snowflake, AWS and GitHub in, what they say of a project and of all out."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, cast

from registry_tools.mesh.account import TAKEN
from registry_tools.mesh.deployment import IDENTITIES, SIZES, AwsTerms, Identity, Landing, SnowflakeTerms
from registry_tools.mesh.upstream import ENVIRONMENT
from registry_tools.settings.document import Document, joined

PROJECT_KEYS: Final = ("snowflake", "repository", "subject")
_SNOWFLAKE_KEYS: Final = (
    *("database", "warehouse", "role", "user", "developer_role", "size", "credits"),
    *("schemas", "developers", "shared_with", "landing"),
)
_SCHEMAS: Final = ("RAW", "STAGING", "MARTS")
_CREDITS: Final = 10
_MOST: Final = 1_000_000
_LONGEST_STATEMENT: Final = 7 * 24 * 3600  # seconds (Snowflake, Parameters, STATEMENT_TIMEOUT_IN_SECONDS)
_BRANCH: Final = "main"

# Unquoted identifiers (Snowflake, Identifier Requirements), so that what is rendered needs no quotes anywhere.
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,199}", re.ASCII)
_IN_AN_ACCOUNT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\.[A-Za-z0-9_]+", re.ASCII)
_AWS_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_AWS_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_LANDING: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[A-Za-z0-9_=-]+/)*")
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
# Names without what a filter of GitHub's takes for itself.
_BRANCHES: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
# `repo:acme/dbt-mesh`, and what GitHub writes of repositories since 2026-06-18: `repo:acme@123/dbt-mesh@456`.
_SUBJECT: Final = re.compile(r"repo:[A-Za-z0-9@._-]+/[A-Za-z0-9@._-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectPlatform:
    """What mesh.yml says of where one project runs; `{ENV}` in a name is the environment, in upper case."""

    database: str | None = None
    warehouse: str | None = None
    role: str | None = None
    user: str | None = None
    developer_role: str | None = None
    size: str = "XSMALL"
    credits: int = _CREDITS
    schemas: tuple[str, ...] = _SCHEMAS
    developers: tuple[str, ...] = ()
    shared_with: tuple[str, ...] = ()
    landing: Landing | None = None
    repository: str | None = None
    subject: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeshPlatform:
    """What it says for all projects."""

    snowflake: SnowflakeTerms = field(default_factory=SnowflakeTerms)
    aws: AwsTerms | None = None
    repository: str | None = None
    subject: str | None = None
    branch: str = _BRANCH


class PlatformReader(Document):
    """Reads those keys. Every name is proven to be one, because it is going to stand in SQL, policies and workflows."""

    def whole(self, document: dict[str, Any]) -> MeshPlatform:
        """What stands at the top: `snowflake`, `aws` and `github`."""
        snowflake = self.mapping(document, "snowflake", "")
        self.known(snowflake, "snowflake", ("identity", "statement_timeout", "governance"))
        github = self.mapping(document, "github", "")
        self.known(github, "github", ("repository", "subject", "branch"))
        branch = self.matching(github, "branch", "github", _BRANCHES, "write the branch that people merge into: main")
        identity = self.choice(snowflake, "identity", "snowflake", IDENTITIES, default="aws")
        default = SnowflakeTerms()
        return MeshPlatform(
            snowflake=SnowflakeTerms(
                identity=cast("Identity", identity),
                statement_timeout=self._count(
                    snowflake,
                    "statement_timeout",
                    "snowflake",
                    default.statement_timeout,
                    "seconds",
                    most=_LONGEST_STATEMENT,
                ),
                governance=self._governance(snowflake) or default.governance,
            ),
            aws=self._aws(document),
            repository=self._repository(github, "github"),
            subject=self._subject(github, "github"),
            branch=branch or _BRANCH,
        )

    def project(self, settings: dict[str, Any], place: str) -> ProjectPlatform:
        """What stands below one project."""
        here, at = self.mapping(settings, "snowflake", place), joined(place, "snowflake")
        self.known(here, at, _SNOWFLAKE_KEYS)
        return ProjectPlatform(
            database=self._name(here, "database", at),
            warehouse=self._name(here, "warehouse", at),
            role=self._name(here, "role", at),
            user=self._name(here, "user", at),
            developer_role=self._name(here, "developer_role", at),
            size=self.choice(here, "size", at, SIZES, default="XSMALL"),
            credits=self._count(here, "credits", at, _CREDITS, "credits a month"),
            schemas=self._names(here, "schemas", at) or _SCHEMAS,
            developers=self._names(here, "developers", at),
            shared_with=self._listed(here, "shared_with", at, _IN_AN_ACCOUNT, "write ORGANIZATION.ACCOUNT"),
            landing=self._landing(here, at),
            repository=self._repository(settings, place),
            subject=self._subject(settings, place),
        )

    def _governance(self, snowflake: dict[str, Any]) -> str | None:
        name = self._name(snowflake, "governance", "snowflake")
        if name and ENVIRONMENT in name:
            self.fail(f"'snowflake.governance' is {name!r}, and is one for all", f"write it without {ENVIRONMENT}")
        return name

    def _aws(self, document: dict[str, Any]) -> AwsTerms | None:
        aws = self.mapping(document, "aws", "")
        if not aws:
            return None
        self.known(aws, "aws", ("account", "region", "bucket", "prefix"))
        return AwsTerms(
            account=self._needed(aws, "account", "aws", _AWS_ACCOUNT, 'write the 12 digits in quotes: "123456789012"'),
            region=self._needed(aws, "region", "aws", _AWS_REGION, "write it as AWS does: eu-central-1"),
            bucket=self._needed(aws, "bucket", "aws", _BUCKET, "write the bucket's name without s3://"),
            prefix=self.matching(aws, "prefix", "aws", _PREFIX, "write it without slashes at its ends") or "registry",
        )

    def _landing(self, settings: dict[str, Any], place: str) -> Landing | None:
        landing, at = self.mapping(settings, "landing", place), joined(place, "landing")
        if not landing:
            return None
        self.known(landing, at, ("url", "role_arn"))
        return Landing(
            url=self._needed(landing, "url", at, _LANDING, "write s3://bucket/folder/, with a slash at its end"),
            role_arn=self._needed(landing, "role_arn", at, _ROLE_ARN, "write arn:aws:iam::123456789012:role/name"),
        )

    def _repository(self, settings: dict[str, Any], place: str) -> str | None:
        return self.matching(settings, "repository", place, _REPOSITORY, "write owner/name, as GitHub has it")

    def _subject(self, settings: dict[str, Any], place: str) -> str | None:
        return self.matching(settings, "subject", place, _SUBJECT, "write what GitHub's tokens say: repo:owner/name")

    def _needed(self, settings: dict[str, Any], key: str, place: str, form: re.Pattern[str], advice: str) -> str:
        value = self.matching(settings, key, place, form, advice)
        if value is None:
            self.fail(f"'{joined(place, key)}' is missing", advice)
        return value

    def _name(self, settings: dict[str, Any], key: str, place: str) -> str | None:
        written = self.text(settings, key, place)
        return self._identifier(written, joined(place, key)) if written else None

    def _names(self, settings: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        found = self._listed(settings, key, place, _IDENTIFIER, "write names as Snowflake takes them without quotes")
        return tuple(self._identifier(name, joined(place, key)) for name in found)

    def _identifier(self, text: str, place: str) -> str:
        """The name, as the account stores it but for `{ENV}`."""
        if not _IDENTIFIER.fullmatch(text.replace(ENVIRONMENT, "X")):
            self.fail(f"'{place}' is {text!r}, not a name", "use letters, digits and underscores, and {ENV}")
        name = text.upper()
        if name in TAKEN:
            self.fail(f"'{place}' is {text!r}, which means something else to Snowflake", "choose another name")
        return name

    def _listed(
        self, settings: dict[str, Any], key: str, place: str, form: re.Pattern[str], advice: str
    ) -> tuple[str, ...]:
        written = settings.get(key, [])
        at = joined(place, key)
        if not isinstance(written, list):
            self.fail(f"'{at}' is {written!r}, not a list", f"write {key}: [{written}]")
        listed = {f"{key}[{position}]": entry for position, entry in enumerate(written)}
        found = tuple(self._needed(listed, entry, place, form, advice) for entry in listed)
        for twice in (name for position, name in enumerate(found) if name.upper() in map(str.upper, found[:position])):
            self.fail(f"'{at}' names {twice} twice", "name each once")
        return found

    def _count(
        self, settings: dict[str, Any], key: str, place: str, default: int, unit: str, *, most: int = _MOST
    ) -> int:
        value = settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            self.fail(f"'{joined(place, key)}' is {value!r}, not a number of {unit}", f"write {key}: {default}")
        return value
