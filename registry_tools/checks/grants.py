"""The roles that should read a project's models and what the account holds in, the steps between the two out.

Only what reader roles read and who has them is planned: SELECT on tables and views, USAGE on schemas. What else they
hold is told and not touched; what other roles hold is nobody's business here.

In which order: first what nobody may read any more is closed, because no other statement that fails may keep it open,
and what fewer may read is handed over to a role of their own; then other roles are created and grants given; last goes
what something else has taken the place of, so that whoever may still read a model never misses it in between.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from registry_tools.checks.readers import AREA, Wanted
from registry_tools.mesh.account import SYSTEM_ROLES, Grant, Membership, Securable, role, spelled
from registry_tools.mesh.deployment import Deployment, Place
from registry_tools.mesh.grant_plan import (
    VIEW,
    GrantPlan,
    Held,
    ReaderRole,
    Step,
    is_public_reader,
    is_reader,
    schema_of,
)
from registry_tools.mesh.observation import Observation, Verdict

_EVERYBODY = "PUBLIC"
# Statements in the order in which they run: to close, to create, to open, to hand over, to take what another role reads
# by now, to hand over the roles that are rid of it only then, to tidy up. The whole order is gone through for what
# fewer may read, and then for all the rest.
_CLOSE, _CREATE, _SEE, _READ, _GIVE, _TAKE, _GIVE_EMPTIED, _TIDY = range(8)


def plan_grants(wanted: Wanted, held: Held, place: Place, deployment: Deployment) -> GrantPlan:
    """What to run so that consumers read exactly what they should; nothing where they do.

    `place` is where the project is built. Roles are known by their names and owner: those of another owner are left
    alone, and so are account roles that mesh.yml does not know.
    """
    known = {
        name: project.name
        for project, other in deployment.placed
        for name in (other.role, other.developer_role)
        if name not in {place.role, place.developer_role}
    }
    elsewhere = frozenset(other.database for _, other in deployment.placed) - {place.database}
    planner = _Planner(wanted=wanted.readers, held=held, place=place, known=known, elsewhere=elsewhere)
    steps = sorted(planner.steps(), key=lambda turn_and_step: turn_and_step[0])
    return GrantPlan(
        role=place.role,
        readers=wanted.readers,
        steps=tuple(step for _, step in steps),
        unbuilt=tuple(planner.unbuilt()),
        remarks=(*wanted.remarks, *planner.remarks()),
    )


@dataclass(frozen=True, kw_only=True)
class _Planner:
    """Compares role by role. There may be thousands of them, so what each of them asks is worked out once."""

    wanted: Sequence[ReaderRole]
    held: Held
    place: Place
    known: dict[str, str]
    elsewhere: frozenset[str]

    def steps(self) -> Iterator[tuple[tuple[bool, int], Step]]:
        """Every step with its turn, those first that close something or let fewer read it."""
        for reader, turn, step in self._steps():
            narrows = not reader.is_public and any(each.name in self._narrowed for each in reader.relations)
            if isinstance(step.what, Grant) and step.verb == "revoke":
                narrows = step.what.on.name in self._narrowed
            yield (turn != _CLOSE and not narrows, turn), step

    def _steps(self) -> Iterator[tuple[ReaderRole, int, Step]]:
        wanted = {reader.role: reader for reader in self.wanted}
        for each in sorted({*wanted, *self._there} - self._foreign):
            reader = wanted.get(each) or ReaderRole(role=each, relations={})
            if each not in self._there:
                yield reader, _CREATE, Step(verb="create", what=each, why=_purpose(reader))
            revoked = tuple(self._revoked(reader))
            is_laden = any(turn == _TAKE for turn, _ in revoked)
            for turn, step in (*revoked, *self._granted(reader), *self._members(reader)):
                yield reader, _GIVE_EMPTIED if is_laden and turn == _GIVE else turn, step

    def unbuilt(self) -> Iterator[tuple[str, Securable]]:
        """The wanted relations of which it is known that they are not there."""
        for reader in self.wanted:
            yield from ((label, each) for each, label in sorted(reader.relations.items()) if self._is_missing(each))

    def remarks(self) -> Iterator[Observation]:
        """What a person has to see to: what reader roles hold that is not planned here, and whose they are."""
        wanted = {reader.role: reader for reader in self.wanted}
        mine = self._there - self._foreign
        yield from self._of_others(wanted)
        yield from self._out_of_sight(mine)
        yield from self._unshareable()
        for grant in sorted(self.held.account.grants):
            if grant.to in mine and not _is_planned(grant) and not _is_its_own_database(grant):
                what = f"{grant.to} has {grant.privilege} on {grant.on}, which no public model asks for"
                yield _remark("other-privilege", what, f"revoke {_lower(grant)}")
        for future in sorted(self.held.account.future):
            if future.to in mine:
                what = f"{future.to} will have {future.privilege} on every new {future.kind} in {future.within.path}"
                then = f"revoke {future.privilege.lower()} on future {future.kind.lower()}s in {_lower(future.within)}"
                yield _remark("future-grant", what, f"{then} from {_lower(future.to)}")
        for member in sorted(self.held.account.memberships):
            if member.role in mine:
                yield from self._strangers(member, wanted.get(member.role))
            if member.to in mine:
                what = f"{member.to} has {member.role}, and reads whatever that reads"
                yield _remark("other-role", what, f"revoke {_lower(member.role)} from {_lower(member.to)}")

    def _of_others(self, wanted: Mapping[Securable, ReaderRole]) -> Iterator[Observation]:
        """Reader roles that belong to somebody else, and should read something or do."""
        owner = self.place.role
        for each in sorted(self._foreign):
            whose = self.held.account.objects[each].owner
            owned = f"{each} is owned by {whose.path if whose else 'nobody'}"
            then = f"mesh snowflake apply, or grant ownership on {_lower(each)} to role {owner} copy current grants"
            if each in wanted:
                yield _remark("reader-owner", f"{owned}, so {owner} can give it nothing", then, verdict="error")
            elif any(map(_is_planned, self._grants[each])):
                yield _remark("reader-owner", f"{owned}, so {owner} can take nothing from it", then)

    def _out_of_sight(self, mine: set[Securable]) -> Iterator[Observation]:
        """What may be read by reader roles without anybody seeing it here."""
        for each in sorted(self.held.cut & mine):
            what = f"{each} has more than Snowflake shows of it, so what it should not read may go unseen"
            then = "look for it in snowflake.account_usage.grants_to_roles, and revoke by hand what is not public"
            yield _remark("unseen-grants", what, then, verdict="error")
        for each in sorted(self._left_behind()):
            what = f"{each} is still there, and nothing public of this project lies in {spelled(each.name[0])} any more"
            yield _remark("left-reader", what, f"drop {_lower(each)}, once nobody reads by it")

    def _unshareable(self) -> Iterator[Observation]:
        """Views about to be granted to a role that other accounts read by: a share takes secure views alone (GRANT
        DATABASE ROLE ... TO SHARE, Usage notes).
        """
        shares = {each.role: each.to for each in self.held.account.memberships if each.to.kind == "SHARE"}
        for reader in (each for each in self.wanted if each.role in shares):
            labels = {relation.name: label for relation, label in reader.relations.items()}
            for _, step in self._granted(reader):
                if isinstance(step.what, Grant) and step.what.on.kind == "VIEW":
                    label = labels[step.what.on.name]
                    what = f"{label} is a view, and {reader.role} is in {shares[reader.role]}, which takes secure ones"
                    yield _remark("view-in-share", what, "set secure: true in the model's config where it is not set")

    def _revoked(self, reader: ReaderRole) -> Iterator[tuple[int, Step]]:
        names, schemas = {each.name for each in reader.relations}, set(reader.schemas)
        for grant in filter(_is_planned, self._grants[reader.role]):
            if grant.privilege == "SELECT" and grant.on.name not in names:
                other = self._read_by.get(grant.on.name)
                why = f"{other.role.path} reads it now" if other else "no public model of this project is there"
                held = replace(grant, on=self._as_built(grant.on))
                is_missed = other is not None and not self._members_of[reader.role].isdisjoint(map(role, other.members))
                yield _TAKE if is_missed else _CLOSE, Step(verb="revoke", what=held, why=why)
            elif grant.privilege == "USAGE" and grant.on not in schemas:
                yield _TIDY, Step(verb="revoke", what=grant, why="it reads nothing in there any more")

    def _granted(self, reader: ReaderRole) -> Iterator[tuple[int, Step]]:
        held = {(grant.privilege, grant.on.name) for grant in self._grants[reader.role]}
        for schema in reader.schemas:
            if ("USAGE", schema.name) not in held and not self.held.lacks(schema):
                step = Step(verb="grant", what=Grant("USAGE", schema, reader.role), why="what it reads is in there")
                yield _SEE, step
        for relation, label in sorted(reader.relations.items()):
            # by its name: there is one thing of a name in a schema, and SHOW may call its kind otherwise than dbt
            if ("SELECT", relation.name) not in held and not self._is_missing(relation):
                why = f"{label} is public" if reader.is_public else f"{label} is for those whom it names"
                yield _READ, Step(verb="grant", what=Grant("SELECT", self._as_built(relation), reader.role), why=why)

    def _members(self, reader: ReaderRole) -> Iterator[tuple[int, Step]]:
        members = self._members_of[reader.role]
        for name, project in sorted(reader.members.items()):
            if role(name) not in members:
                gets = Membership(reader.role, role(name))
                yield _GIVE, Step(verb="grant", what=gets, why=f"{project} reads it")
        if reader.is_public:
            return
        for member in sorted(members):
            name = member.name[0]
            if member.kind == "ROLE" and name in self.known and name not in reader.members:
                turn, why = _CLOSE, f"{self.known[name]} is not among those whom the model names"
                if not reader.relations:
                    turn, why = _TIDY, "no public model is read by it any more"
                yield turn, Step(verb="revoke", what=Membership(reader.role, member), why=why)

    def _strangers(self, member: Membership, reader: ReaderRole | None) -> Iterator[Observation]:
        """Whoever has a reader role and should not, as far as it is not planned to take it away."""
        name = member.to.name[-1]
        mine = {self.place.role, self.place.developer_role, *SYSTEM_ROLES} - {_EVERYBODY}
        is_shared = member.to.kind == "SHARE" and is_public_reader(member.role)  # mesh snowflake check knows with whom
        if is_shared or (member.to.kind == "ROLE" and name in mine):
            return
        is_known = member.to.kind == "ROLE" and name in self.known
        revoke = f"revoke {_lower(member.role)} from {_lower(member.to)}"
        if name == _EVERYBODY and member.to.kind == "ROLE":
            what = f"every user of the account has {member.role}, by the role {_EVERYBODY}"
            yield _remark("everybody", what, revoke)
        elif is_public_reader(member.role):
            if is_known and reader and name not in reader.members:
                what = (
                    f"{member.to} of {self.known[name]} has {member.role}, and mesh.yml does not say that it reads it"
                )
                yield _remark("undeclared-reader", what, f"add it to the upstreams there, or {revoke}")
        elif not is_known:
            what = f"{member.to} has {member.role}, and is no role of a project in mesh.yml"
            yield _remark("unknown-reader", what, revoke)

    def _left_behind(self) -> Iterator[Securable]:
        """The project's own reader roles in databases that neither it nor mesh.yml has anything to do with by now."""
        databases = {*self._databases, *self.elsewhere}
        for each, entry in self.held.account.objects.items():
            if is_reader(each) and each.name[0] not in databases and entry.owner == role(self.place.role):
                yield each

    @cached_property
    def _grants(self) -> Mapping[Securable, Sequence[Grant]]:
        """What each role holds, in order."""
        held: dict[Securable, list[Grant]] = defaultdict(list)
        for grant in sorted(self.held.account.grants):
            held[grant.to].append(grant)
        return held

    @cached_property
    def _members_of(self) -> Mapping[Securable, set[Securable]]:
        """Who has each role."""
        members: dict[Securable, set[Securable]] = defaultdict(set)
        for each in self.held.account.memberships:
            members[each.role].add(each.to)
        return members

    @cached_property
    def _read_by(self) -> Mapping[tuple[str, ...], ReaderRole]:
        """Who should read each relation, by its name."""
        return {each.name: reader for reader in self.wanted for each in reader.relations}

    @cached_property
    def _narrowed(self) -> set[tuple[str, ...]]:
        """The names of what everybody reads and only those whom a model names may."""
        everybody = (each for each in self._there - self._foreign if is_public_reader(each))
        read = (grant.on.name for each in everybody for grant in self._grants[each] if grant.privilege == "SELECT")
        return {name for name in read if name in self._read_by and not self._read_by[name].is_public}

    @cached_property
    def _databases(self) -> set[str]:
        """Where the project is built, and wherever else something of it is public."""
        return {self.place.database, *(reader.role.name[0] for reader in self.wanted)}

    @cached_property
    def _there(self) -> set[Securable]:
        """The reader roles that are known to exist, in the databases that this project has to do with."""
        account = self.held.account
        named = {*account.objects, *(g.to for g in account.grants), *(m.role for m in account.memberships)}
        return {each for each in named if is_reader(each) and each.name[0] in self._databases}

    @cached_property
    def _foreign(self) -> set[Securable]:
        """Those of them that belong to somebody else."""
        objects = self.held.account.objects
        owners = {each: objects[each].owner for each in self._there if each in objects}
        return {each for each, owner in owners.items() if owner not in {None, role(self.place.role)}}

    @cached_property
    def _built(self) -> Mapping[tuple[str, ...], Securable]:
        return {each.name: each for each in self.held.relations}

    def _as_built(self, relation: Securable) -> Securable:
        """The relation by the kind that it is of. SHOW OBJECTS knows tables and views alone, a materialization of the
        project's own may build either, and SHOW GRANTS says TABLE of a view (before behaviour change 2371).
        """
        found = self._built.get(relation.name, relation)
        return relation if _is_view(found) == _is_view(relation) else found

    def _is_missing(self, relation: Securable) -> bool:
        return schema_of(relation) in self.held.listed and relation.name not in self._built


def _is_planned(grant: Grant) -> bool:
    """Whether it is of the kind that is planned here: to read something in a schema, or to see the schema."""
    in_a_schema = len(grant.on.name) > 2  # noqa: PLR2004  # database, schema, and more
    return grant.privilege == "SELECT" if in_a_schema else (grant.privilege, grant.on.kind) == ("USAGE", "SCHEMA")


def _is_view(relation: Securable) -> bool:
    return relation.kind.endswith(VIEW)


def _is_its_own_database(grant: Grant) -> bool:
    """Whether it lets the role into its database, which Snowflake grants when the role is created."""
    return grant.privilege == "USAGE" and grant.on.kind == "DATABASE"


def _purpose(reader: ReaderRole) -> str:
    labels = sorted(reader.relations.values())
    return "it reads what is public" if reader.is_public else f"it reads {labels[0]}, which names its consumers"


def _lower(each: Securable | Grant) -> str:
    """As SQL has it, but for the verb."""
    if isinstance(each, Grant):
        return f"{each.privilege.lower()} on {_lower(each.on)} from {_lower(each.to)}"
    return f"{each.kind.lower()} {each.path}"


def _remark(check: str, what: str, then: str, *, verdict: Verdict = "warning") -> Observation:
    return Observation(area=AREA, check=check, verdict=verdict, what=what, then=then)
