"""What consumers of a project should be able to read, what they can, and the steps from the one to the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from registry_tools.mesh.account import Account, Grant, Membership, Securable
from registry_tools.mesh.deployment import PUBLIC_READER
from registry_tools.mesh.observation import Observation

# How the role begins that reads one model alone, because not everybody may (meta.mesh.consumers).
READER: Final = "MESH_READER_"

# How the kinds end of what can be read: EXTERNAL TABLE, MATERIALIZED VIEW.
TABLE: Final = "TABLE"
VIEW: Final = "VIEW"

Verb = Literal["create", "grant", "revoke"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderRole:
    """A database role that should read these relations, each with the model that is built there, and the account roles
    that should have it, each with the project for which it reads.
    """

    role: Securable
    relations: Mapping[Securable, str]
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether it reads what everybody may read."""
        return is_public_reader(self.role)

    @property
    def schemas(self) -> tuple[Securable, ...]:
        """The schemas in which it reads anything."""
        return tuple(sorted({schema_of(relation) for relation in self.relations}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What is known of the account. Of the schemas `listed` it is known which tables and views there are, and whether
    the schema is there at all; of others nothing is. Of the roles `cut` Snowflake told a part of what they hold.
    """

    account: Account = field(default_factory=Account)
    listed: frozenset[Securable] = frozenset()
    cut: frozenset[Securable] = frozenset()

    @property
    def relations(self) -> frozenset[Securable]:
        """The tables and views that are there, of whatever kind."""
        return frozenset(each for each in self.account.objects if each.kind.endswith((TABLE, VIEW)))

    def lacks(self, schema: Securable) -> bool:
        """Whether it is known that the schema is not there."""
        return schema in self.listed and schema not in self.account.objects


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One statement: a database role to create, or a privilege or a role to grant or to revoke; and why."""

    verb: Verb
    what: Securable | Grant | Membership
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantPlan:
    """The statements in the order in which they are to be run, all by the account role `role`.

    `unbuilt` are public models whose relation is not there yet, each with the relation: nothing can be granted on it.
    `remarks` tell what a person has to see to; nothing of it is touched.
    """

    role: str
    readers: tuple[ReaderRole, ...] = ()
    steps: tuple[Step, ...] = ()
    unbuilt: tuple[tuple[str, Securable], ...] = ()
    remarks: tuple[Observation, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether consumers can read exactly what they should, as far as this project can see to it."""
        return not self.steps and not self.is_short

    @property
    def is_short(self) -> bool:
        """Whether something is left that no statement of this plan brings about."""
        return bool(self.unbuilt) or any(remark.verdict == "error" for remark in self.remarks)


def schema_of(relation: Securable) -> Securable:
    """The schema that a relation is in."""
    return Securable("SCHEMA", relation.name[:2])


def is_public_reader(role: Securable) -> bool:
    """Whether it is the role that reads what everybody may read of a database."""
    return role.name[-1] == PUBLIC_READER


def is_reader(each: Securable) -> bool:
    """Whether it is a role of the kind that is planned here; its name says so."""
    return each.kind == "DATABASE ROLE" and (is_public_reader(each) or each.name[-1].startswith(READER))
