"""Laws of the text that we write: YAML gives back the very values, Jinja the very characters."""

import re
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.artifacts.yaml_text import inert, inert_description, yaml_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# What YAML, Jinja or a terminal could take for more than text, next to each other more often than chance has it.
TRICKY = st.lists(
    st.sampled_from(
        [
            *("{{", "}}", "{%", "%}", "{#", "#}", "{", "}", "%", "#", "-", "'", '"', "\\", "\n", "\r", "\t", " ", ":"),
            *("- ", ": ", "yes", "null", "~", "1e5", "0x1", "2026-01-01", "<<", "=", "!", "&a", "*a", "|", ">", "---"),
            *("...", "\x00", "\x07", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001f680"),
            *("raw", "endraw", "a"),
        ]
    )
).map("".join)
SCALARS = st.one_of(
    TEXT, TRICKY, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
KEYS = TEXT | TRICKY
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
ENVIRONMENT = jinja2.Environment(autoescape=False)  # noqa: S701  # dbt's own setting
LOADERS = [yaml.SafeLoader, yaml.CSafeLoader]


def _load(text: str, loader: Any) -> Any:
    return yaml.load(text.encode(), Loader=loader)  # noqa: S506  # both are safe loaders


@pytest.mark.parametrize("loader", LOADERS)
@given(document=st.dictionaries(KEYS, VALUES, min_size=1, max_size=5))
def test_yaml_gives_back_what_was_written(loader: Any, document: dict[str, Any]) -> None:
    assert _same(_load(yaml_text(document), loader), document)


@pytest.mark.parametrize("loader", LOADERS)
@given(text=TRICKY)
def test_text_is_one_scalar_wherever_it_stands(loader: Any, text: str) -> None:
    document = {text: [text, [text], {text: text}], "last": {"a": text}}
    assert _load(yaml_text(document), loader) == document


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("key", ["k" * 1000, "k" * 1100, "k" * 5000, "\x07" * 400, "\u2028" * 300, "k " * 700])
def test_a_key_may_be_as_long_as_a_person_writes_it(loader: Any, key: str) -> None:
    document = {key: {"a": [{key: 1, "b": 2}]}, "c": 3}
    assert _load(yaml_text(document), loader) == document


@pytest.mark.parametrize("number", [1e16, 1e-7, -2.5e300, 5e-324, 1e22, 123456789012345680.0, 0.1, 10**25, -0.0])
def test_a_number_stays_a_number(number: float) -> None:
    assert _same(yaml.safe_load(yaml_text({"n": number})), {"n": number})


@pytest.mark.parametrize("word", ["y", "N", "Yes", "NO", "on", "Off", "true", "FALSE", "null", "None", "~", "", "="])
def test_a_word_that_yaml_reads_as_something_else_stays_text(word: str) -> None:
    assert yaml.safe_load(yaml_text({word: word})) == {word: word}


@pytest.mark.parametrize("lost", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_have_becomes_text(lost: float) -> None:
    assert yaml.safe_load(yaml_text({"n": lost})) == {"n": str(lost)}


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb"])
def test_half_a_character_becomes_the_mark_of_one(half: str) -> None:
    assert "\ufffd" in yaml.safe_load(yaml_text({"t": half}))["t"]


@given(text=TEXT | TRICKY)
def test_jinja_renders_inert_text_to_itself(text: str) -> None:
    assert ENVIRONMENT.from_string(inert(text)).render() == text


@given(text=TEXT | TRICKY)
def test_a_description_is_what_dbt_makes_of_it(text: str) -> None:
    """dbt-core, clients/jinja.py, get_rendered: without anything of a template in it, the text as it stands."""
    written = inert_description(text)
    templated = re.search(r"{[{%#]|[#}%]}", written)
    assert (ENVIRONMENT.from_string(written).render() if templated else written) == text


@given(text=TEXT | TRICKY)
def test_text_without_braces_stays_as_it_is(text: str) -> None:
    plain = text.replace("{", "(").replace("\r", "\n").rstrip("\n")
    assert inert(plain) == plain
    assert inert_description(text.replace("{", "(").replace("}", ")")) == text.replace("{", "(").replace("}", ")")


def _same(one: Any, other: Any) -> bool:
    """Equal and of the same types throughout: 1, 1.0 and True are not the same in a file."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and repr(one) == repr(other)
