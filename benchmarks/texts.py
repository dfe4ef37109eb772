"""A number in, the words, sentences and SQL that stand at that number out: the same every time."""

import random
from collections.abc import Sequence
from typing import Final

WORDS: Final = (
    *("order", "customer", "product", "payment", "shipment", "refund", "invoice", "ledger", "account", "session"),
    *("campaign", "region", "store", "supplier", "price", "amount", "quantity", "status", "channel", "currency"),
    *("discount", "margin", "forecast", "stock", "return", "visit", "contract", "segment"),
)
SEED: Final = 13
_RANDOM: Final = random.Random(SEED)  # noqa: S311  # the same text every time, not a secret
_SENTENCES: Final = [" ".join(_RANDOM.choices(WORDS, k=_RANDOM.randint(3, 8))).capitalize() for _ in range(509)]
_LINES: Final = [
    f"    {{%- {verb} {a} == '{b}' or {a}|attr('{c}') is none -%}}"
    for verb in ("if", "elif", "set x =")
    for a, b, c in zip(WORDS, WORDS[1:], WORDS[2:], strict=False)
]


def word(number: int) -> str:
    """A word of the trade."""
    return WORDS[number % len(WORDS)]


def sentence(number: int) -> str:
    """What somebody might have written as a description."""
    return _SENTENCES[number % len(_SENTENCES)]


def raw_code(columns: Sequence[str], parents: Sequence[str]) -> str:
    """A model as a person writes it: an import CTE for each parent, one step, all columns by name."""
    return _code(columns, parents, [_reference(parent) for parent in parents])


def compiled_code(columns: Sequence[str], parents: Sequence[str]) -> str:
    """The same, as dbt sends it to the warehouse."""
    return _code(columns, parents, [f"PROD.{parent.split('.')[1]}.{parent.split('.')[2]}" for parent in parents])


def test_code(kind: str, relation: str, column: str) -> str:
    """A generic test as dbt sends it to the warehouse."""
    lines = {
        "unique": f"    {column} as unique_field,\n    count(*) as n_records\nfrom {relation}\n"
        f"where {column} is not null\ngroup by {column}\nhaving count(*) > 1",
        "not_null": f"    {column}\nfrom {relation}\nwhere {column} is null",
        "accepted_values": f"    *\nfrom (\n    select\n        {column} as value_field,\n"
        f"        count(*) as n_records\n    from {relation}\n    group by {column}\n) as all_values\n"
        f"where value_field not in (\n    'placed','shipped','completed','return_pending','returned'\n)",
    }
    return f"\n    \n    \n\nselect\n{lines[kind]}\n\n\n\n"


def macro_sql(number: int, size: int) -> str:
    """Jinja of about this size, under a name of its own."""
    lines = [f"{{% macro {word(number)}_{number:03d}(relation, column_name=none, node=none) -%}}"]
    step = 0
    while sum(map(len, lines)) < size:
        lines.append(_LINES[(number * 31 + step * 7) % len(_LINES)])
        step += 1
    return "\n".join([*lines, "{%- endmacro %}"])


def _reference(parent: str) -> str:
    _, _, *names = parent.split(".")
    if parent.startswith("source."):
        return f"{{{{ source('{names[0]}', '{names[1]}') }}}}"
    return f"{{{{ ref('{names[0]}') }}}}"


def _code(columns: Sequence[str], parents: Sequence[str], references: Sequence[str]) -> str:
    names = [parent.split(".")[-1 if parent.startswith("source.") else 2] for parent in parents]
    imports = [_import(name, reference) for name, reference in zip(names, references, strict=True)]
    chosen = ",\n".join(f"        {names[at % len(names)]}.{column}" for at, column in enumerate(columns))
    cleaned = ",\n".join(f"        joined.{column}" for column in columns)
    joins = "".join(f"\n    left join {name} on {names[0]}.{columns[0]} = {name}.{columns[0]}" for name in names[1:])
    joined = f"joined as (\n\n    select\n{chosen}\n    from {names[0]}{joins}\n\n)"
    final = f"final as (\n\n    select\n{cleaned}\n    from joined\n    where joined.{columns[0]} is not null\n\n)"
    return "with " + ",\n\n".join([*imports, joined, final]) + "\n\nselect * from final"


def _import(name: str, reference: str) -> str:
    return f"{name} as (\n\n    select * from {reference}\n\n)"  # noqa: S608  # text for a file, nobody runs it
