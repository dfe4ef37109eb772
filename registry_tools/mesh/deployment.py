"""What mesh.yml says of the accounts that a mesh runs on: Snowflake, AWS and GitHub, project by project.

Everything that is set up is rendered from these values; names are held as the services store them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

# The one role of a database that may read what everybody may read of it.
PUBLIC_READER: Final = "MESH_PUBLIC_READER"
# Where people build, each in schemas of their own.
DEVELOPMENT: Final = "dev"
# With it CI checks pull requests. No project's role can have this name: theirs begin with dbt-mesh-.
PULL_REQUEST_ROLE: Final = "dbt-registry-pull-request"

# The regions with accounts and ARNs of their own, by how their names begin.
_PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))

Identity = Literal["aws", "key_pair"]
IDENTITIES: Final = ("aws", "key_pair")
# Of a warehouse, each twice as large as the one before it.
SIZES: Final = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A role that reads the public models of a place, and the project for which it does."""

    project: str
    role: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one project is built in one environment: its database, warehouse, role and service user.

    It is `lasting` where anybody reads the environment: nobody but dbt's own build writes there, and its schemas are
    made beforehand. `readers` are the roles that other projects read it with, `reads` the environments of its upstreams
    that the project may read there.
    """

    environment: str
    database: str
    warehouse: str
    role: str
    user: str
    developer_role: str
    lasting: bool
    readers: tuple[Reader, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Landing:
    """Where raw files of a project arrive, `s3://bucket/prefix/`, and the AWS role by which Snowflake reads them."""

    url: str
    role_arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployedProject:
    """One project, in every environment.

    `credits` is what each of its warehouses may use in a month. `developers` are Snowflake users that exist already.
    `shared_with` are accounts (ORGANIZATION.ACCOUNT) that read its public models through a share. `subject` is what
    GitHub's tokens say of its repository, before the environment: a repository's immutable subject cannot be composed
    from its name. `upstreams` are those that it declares, `consumers` those that declare it.
    """

    name: str
    folder: str
    places: tuple[Place, ...]
    schemas: tuple[str, ...]
    size: str
    credits: int
    developers: tuple[str, ...] = ()
    shared_with: tuple[str, ...] = ()
    landing: Landing | None = None
    repository: str | None = None
    subject: str | None = None
    upstreams: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    needs_deps: bool = False

    def place(self, environment: str) -> Place | None:
        """Where it is built in this environment."""
        return next((place for place in self.places if place.environment == environment), None)

    def github_environment(self, environment: str) -> str:
        """The environment of its repository in which its jobs run: its own, so that no other project gets its role."""
        return f"{self.name}-{environment}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SnowflakeTerms:
    """What holds for all projects: how service users prove who they are, and after how many seconds a statement of
    theirs is stopped. `governance` is the database of tags and policies.
    """

    identity: Identity = "aws"
    statement_timeout: int = 3600
    governance: str = "MESH_GOVERNANCE"


@dataclass(frozen=True, kw_only=True, slots=True)
class AwsTerms:
    """The AWS account, the region and the bucket of the registry, and the prefix of its root in the bucket."""

    account: str
    region: str
    bucket: str
    prefix: str = "registry"

    @property
    def root(self) -> str:
        """The registry's root."""
        return f"s3://{self.bucket}/{self.prefix}"

    def role_name(self, project: str) -> str:
        """The role with which a project publishes, and by which Snowflake knows it."""
        return f"dbt-mesh-{project.replace('_', '-')}"

    def role_arn(self, project: str) -> str:
        """The same role's ARN."""
        return self._arn(self.role_name(project))

    @property
    def pull_request_role_arn(self) -> str:
        """The ARN of the role with which CI checks pull requests: it reads what everybody may read."""
        return self._arn(PULL_REQUEST_ROLE)

    def _arn(self, role: str) -> str:
        partition = next((name for start, name in _PARTITIONS if self.region.startswith(start)), "aws")
        return f"arn:{partition}:iam::{self.account}:role/{role}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """All projects in the order of mesh.yml, and what holds for all of them. `aws` is None where it says nothing, and
    so is `repository`, the one in which mesh.yml stands. What is merged into `branch` is published.
    """

    projects: tuple[DeployedProject, ...]
    snowflake: SnowflakeTerms = field(default_factory=SnowflakeTerms)
    aws: AwsTerms | None = None
    repository: str | None = None
    branch: str = "main"

    def project(self, name: str) -> DeployedProject | None:
        """The project of this name."""
        return next((project for project in self.projects if project.name == name), None)

    @property
    def placed(self) -> Iterator[tuple[DeployedProject, Place]]:
        """Every project in every environment."""
        return ((project, place) for project in self.projects for place in project.places)
