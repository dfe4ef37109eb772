"""A change that may not go on in, the ways to do what was meant without hurting anybody out, the cheapest first.

What is to be pasted holds only names that mean the same in YAML, in SQL and to Jinja; where one does not, the sentence
has to do.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from registry_tools.mesh.impact import Effect, Impact
from registry_tools.mesh.printable import printable
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.verdict import Advice, Classified

# How long readers get to leave, and how long an approval holds (as mesh approve has it).
_NOTICE: Final = timedelta(days=90)
_EXCEPTION: Final = timedelta(days=14)
_SHOWN: Final = 5  # owners

_GOING: Final = ("model-removed", "model-renamed", "version-removed", "column-removed")

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: [A-Za-z0-9_]+)*(?:\([0-9]+(?:, ?[0-9]+)*\))?")
# Plain words that YAML 1.1 reads as something else than text (https://yaml.org/type/).
_WORDS: Final = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])
# What mesh approve takes.
_APPROVABLE: Final = re.compile(r"\w+(?:\.[\w$ -]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """A change, what it does, the model as it was and as it would be, and every version that either side has of it."""

    classified: Classified
    impacts: tuple[Impact, ...]
    environment: str
    today: date
    old: PublicModel | None = None
    new: PublicModel | None = None
    siblings: tuple[PublicModel, ...] = ()


class _OddNameError(Exception):
    """A name that cannot be pasted without a thought."""


def advise(situation: Situation) -> tuple[Advice, ...]:
    """What else can be done."""
    return (*_alias(situation), *_deprecate(situation), *_version(situation), *_talk(situation), *_approve(situation))


def _alias(situation: Situation) -> Iterator[Advice]:
    change, old, new = situation.classified.change, situation.old, situation.new
    if change.rule == "model-renamed":
        name = change.after or ""
        paste = f"select * from {{{{ ref('{name}') }}}}" if _PLAIN.fullmatch(name) else ""  # noqa: S608  # a plain word
        says = f"keep {_shown(change.model)} as a view of {_shown(name)} until nobody reads it"
        yield Advice(way="alias", says=says, paste=paste)
    elif change.rule == "column-removed" and old and new and change.column and (now := _now(change.column, old, new)):
        says = f"give {_shown(now)} under its old name as well, so that nobody has to follow at once"
        plain = _PLAIN.fullmatch(now) and _PLAIN.fullmatch(change.column)
        yield Advice(way="alias", says=says, paste=f"{now} as {change.column}" if plain else "")


def _now(name: str, old: PublicModel, new: PublicModel) -> str | None:
    """The column that may be this one under another name: of its type, one went and one came."""
    kind = old.columns[name].data_type if name in old.columns else None
    gone, come = (
        [column for key, column in here.columns.items() if key not in there.columns and column.data_type == kind]
        for here, there in ((old, new), (new, old))
    )
    return come[0].name if kind and len(gone) == len(come) == 1 else None


def _deprecate(situation: Situation) -> Iterator[Advice]:
    change, old = situation.classified.change, situation.old
    if old is None or change.rule not in _GOING:
        return
    set_already = old.is_dated and old.leaves_on and old.leaves_on >= situation.today.isoformat()
    day = old.leaves_on if set_already else (situation.today + _NOTICE).isoformat()
    what = _shown(change.column or old.label)
    says = f"keep {what} for now, and say until when: after {day} it may go once nobody reads it"
    if change.column is None:
        yield Advice(way="deprecate", says=says, paste=_pasted(_dated_model(old, f'deprecation_date: "{day}"')))
    else:
        yield Advice(way="deprecate", says=says, paste=_pasted(_dated_column(old, change.column, str(day))))


def _dated_model(model: PublicModel, entry: str) -> Iterator[str]:
    yield from ("models:", f"  - name: {_name(model.name)}")
    if model.version is None:
        yield f"    {entry}"
    else:
        yield from ("    versions:", f"      - v: {_number(model.version)}", f"        {entry}")


def _dated_column(model: PublicModel, column: str, day: str) -> Iterator[str]:
    yield from ("models:", f"  - name: {_name(model.name)}", "    columns:", f"      - name: {_name(column)}")
    yield from ("        config:", f'          meta: {{deprecation_date: "{day}"}}')


def _version(situation: Situation) -> Iterator[Advice]:
    old, new = situation.old, situation.new
    if old is None or new is None or situation.classified.change.column is None:
        return
    following = _following(situation.siblings)
    says = f"leave {_shown(old.label)} as it was, and give what is new a version of its own"
    if following is None:
        yield Advice(way="add-version", says=says)
        return
    says += f": its SQL goes into {_shown(old.name)}_v{following}.sql"
    yield Advice(way="add-version", says=says, paste=_pasted(_versioned(old, new, following)))


def _following(versions: Iterable[PublicModel]) -> int | None:
    """The number of the next version; None where versions are not numbered."""
    numbers = {str(model.version) for model in versions if model.version is not None}
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    return max(map(int, numbers), default=1) + 1


def _versioned(old: PublicModel, new: PublicModel, following: int) -> Iterator[str]:
    name = _name(old.name)
    stays = 1 if old.latest_version is None else old.latest_version
    yield from ("models:", f"  - name: {name}", f"    latest_version: {_number(stays)}", "    versions:")
    if old.version is None:
        # dbt would call the table of v1 otherwise
        yield from (
            "      - v: 1",
            f"        defined_in: {name}",
            "        config:",
            f"          alias: {_name(old.alias)}",
        )
    else:
        yield "      # beside those that stand"
    yield from (f"      - v: {following}", f"        defined_in: {old.name}_v{following}", "        columns:")
    changed = [each for each in new.columns.values() if old.columns.get(each.name) != each]
    left = [key for key in old.columns if key not in new.columns or old.columns[key] != new.columns[key]]
    yield "          - include: all"
    if left:
        yield f"            exclude: [{', '.join(map(_name, left))}]"
    for column in changed:
        yield from _declared(column)


def _declared(column: Column) -> Iterator[str]:
    yield f"          - name: {_name(column.name)}"
    if column.data_type is not None:
        if not _TYPE.fullmatch(column.data_type):
            raise _OddNameError
        yield f'            data_type: "{column.data_type}"'
    if column.quote is not None:
        yield f"            quote: {str(column.quote).lower()}"


def _talk(situation: Situation) -> Iterator[Advice]:
    for effect in ("BROKEN", "UNKNOWN", "AFFECTED"):
        if owners := _owners(situation.impacts, effect):
            shown = [f"{printable(consumer)}{owner}" for consumer, owner in sorted(owners.items())]
            more = [f"{len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
            yield Advice(way="talk", says="talk to those who read it: " + ", ".join((*shown[:_SHOWN], *more)))
            return


def _owners(impacts: Iterable[Impact], effect: Effect) -> Mapping[str, str]:
    """The consumers on whom the change has this effect, each with whom to talk to: ` (Orders Analytics, #orders)`."""
    found: dict[str, str] = {}
    for impact in impacts:
        if impact.effect == effect:
            known = [printable(impact.owner[key]) for key in ("team", "contact") if impact.owner.get(key)]
            found[impact.consumer] = max(found.get(impact.consumer, ""), f" ({', '.join(known)})" if known else "")
    return found


def _approve(situation: Situation) -> Iterator[Advice]:
    change = situation.classified.change
    until = (situation.today + _EXCEPTION).isoformat()
    where = shlex.join(["--env", situation.environment])
    command = f'mesh approve {change.rule} {shlex.quote(change.object)} {where} --reason "..." --until {until}'
    fits = _APPROVABLE.fullmatch(change.object) is not None
    says = "let it pass as it is, once everybody agrees; the reason stands in the log for all to read"
    yield Advice(way="approve", says=says, paste=command if fits else "")


# -- what is pasted ---------------------------------------------------------------------------------------------------


def _pasted(lines: Iterator[str]) -> str:
    try:
        return "".join(f"{line}\n" for line in lines)
    except _OddNameError:
        return ""


def _name(name: str) -> str:
    """A name in YAML. Raises _OddNameError for one that could be read as more than that."""
    if not _PLAIN.fullmatch(name):
        raise _OddNameError
    return f'"{name}"' if name.lower() in _WORDS else name


def _number(version: str | float) -> str:
    """A version in YAML: a number as a number, a word as a word."""
    return str(version) if isinstance(version, int | float) else _digits(version)


def _digits(version: str) -> str:
    return version if version.isascii() and version.isdigit() else _name(version)


def _shown(name: str | None) -> str:
    return printable(name or "")
