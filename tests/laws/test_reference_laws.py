"""The scanner of references sees in a template the calls that Jinja's own parser sees, whatever stands around them."""

import re

import jinja2
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from registry_tools.intake.calls import Call, calls_in_template

ARGUMENTS = [
    "'up'",
    '"x"',
    "name",
    "v=1",
    "version='2'",
    "v=none",
    "f('a')",
    "[1, {'a': {'b': 2}}]",
    "'a' ~ b",
]
WORDS = ["ref", "source", "other.ref", "builtins.ref", "my_ref", "f"]
TEXTS = ["select 1\n", "-- a comment\n", "'", '"', "}}", "%}", "ref('up', 'x')", "{ ref( }", "é\n"]
AROUND = ["{{%s}}", "{{- %s -}}", "{%% set a = %s %%}", "{%%- if %s %%}y{%% endif %%}", "{# %s #}"]
AROUND += ["{%% raw %%}{{ %s }}{%% endraw %%}", "{{ [%s, {'k': {'l': 1}}] }}", "{{ '}}' ~ %s }}", '{{ "{# " ~ %s }}']

argument = st.sampled_from(ARGUMENTS)
call = st.builds(
    lambda word, space, arguments: f"{word}{space}({space}{f',{space}'.join(arguments)}{space})",
    st.sampled_from(WORDS),
    st.sampled_from(["", " ", "\n "]),
    st.lists(argument, max_size=3),
)
nested = st.builds(lambda outer, inner: f"f({outer}, {inner})", call, call)
block = st.builds(lambda around, inside: around % inside, st.sampled_from(AROUND), call | nested)
template = st.lists(block | st.sampled_from(TEXTS), max_size=6).map("".join)

Seen = tuple[str, tuple[str | None, ...]]


def seen_by_jinja(text: str) -> list[Seen] | None:
    """The calls of `ref` and `source` with their arguments, sorted; None for what Jinja refuses."""
    environment = jinja2.Environment(autoescape=True)
    try:
        tree = environment.parse(text)
    except jinja2.TemplateSyntaxError:
        return None
    found: list[Seen] = []
    for node in tree.find_all(nodes.Call):
        match node.node:
            case nodes.Name(name="ref" | "source" as way):
                found.append(_seen(way, node))
            case nodes.Getattr(node=nodes.Name(name="builtins"), attr="ref"):
                found.append(_seen("ref", node))
    return sorted(found, key=str)


def _seen(way: str, node: nodes.Call) -> Seen:
    return way, tuple(arg.value if isinstance(arg, nodes.Const) else None for arg in node.args)


def _told(told: Call, text: str) -> Seen:
    written = text[told.at :]
    assert re.match(r"(ref|source)\s*\(", written), "the place is that of the call"
    return told.way, told.arguments


@given(text=template)
def test_the_calls_that_jinja_parses_are_the_calls_that_are_found(text: str) -> None:
    expected = seen_by_jinja(text)
    found = sorted((_told(told, text) for told in calls_in_template(text)), key=str)
    if expected is not None:
        assert found == expected
