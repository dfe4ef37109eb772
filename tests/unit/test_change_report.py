"""Reports of changes: lines, tables and documents that nothing in a name or a description can break out of."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from registry_tools.artifacts.change_report import change_document, change_entry, change_markdown, change_text
from registry_tools.mesh.change import Change
from registry_tools.mesh.printable import printable
from registry_tools.mesh.verdict import Class, Classified

TAGS = {"h4", "table", "thead", "tbody", "tr", "th", "td", "p"}
HOSTILE = [
    "| a | b |",
    "`code` ``",
    "</code><script>alert(1)</script>",
    "<!-- ",
    "@everyone #1 !2 :smile: $x$",
    "[a](https://evil.example) ![b](x) <https://evil.example>",
    "https://evil.example www.evil.example WWW.evil.example a@evil.example",
    "**bold** _it_ a_b_c __x__ ~~gone~~",
    "one\ntwo\r\n\r\n# three\u2028four",
    "&lt;b&gt; &#64; \\| \\` \\",
    "\x1b[2J\u202etxt",
    "::error::x",
    "##[add-mask]x",
    "a\n::error::b",
    " a  b ",
]


class Cells(HTMLParser):
    """The text of every cell, and every tag."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in {"td", "th", "h4"}:
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def change(text: str, kind: Class = "BREAKING", **facts: str) -> Classified:
    place = {"model": "orders", "column": text, "before": printable(text) or None, **facts}
    return Classified(
        change=Change(rule="column-removed", project="dbt_up", **place), kind=kind, code="C01", says="It is gone."
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
@pytest.mark.parametrize("before", [True, False])
def test_a_cell_shows_the_very_text_and_nothing_acts(before: bool, text: str) -> None:  # noqa: FBT001  # a parameter
    assert_inert(text if before else f"x{text}x")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_not_act(text: str) -> None:
    assert_inert(text)


def assert_inert(text: str) -> None:
    markdown = change_markdown([change(text), change("next")], text)
    seen = Cells(markdown)
    assert seen.tags <= TAGS | {"code"}
    assert not seen.attributes
    heading, cells = seen.cells[0], seen.cells[7:]
    assert squeezed(heading) == squeezed(f"{printable(text)}: 2 changes")
    assert len(cells) == 12
    assert squeezed(cells[2]) == squeezed(f"dbt_up.orders.{printable(text)}")
    assert squeezed(cells[3]) == squeezed(printable(text))
    assert squeezed(cells[5]) == "BREAKING"
    # What GitHub makes into mentions and links stands behind an entity, inside code.
    for row in markdown.split("|---|\n")[1].splitlines():
        letters = re.sub(r"</?code>|&#[0-9]+;", "", row)
        assert letters.count("|") == 7
        assert "www." not in letters.lower()
        assert not set("@`<>[]$#:*~!\\") & set(letters)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_on_its_line_and_is_no_command(text: str) -> None:
    lines = change_text([change(text), change("next", before=text, after=text)], text).split("\n")
    assert len(lines) == 4
    assert_no_command(lines)


@given(st.text(": #[e\n"))
def test_no_heading_and_no_name_becomes_a_command(text: str) -> None:
    assert_no_command(change_text([change(text)], text).split("\n"))


def assert_no_command(lines: list[str]) -> None:
    """What a runner obeys: `::` at the beginning of a line, and `##[` anywhere in it."""
    assert all(line.isprintable() for line in lines)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)


def test_a_line_ends_with_its_class_and_keeps_its_place() -> None:
    told = [change("amount"), change("note", "DANGEROUS", after="text"), change("id", "SAFE", before="number(12,2)")]
    assert change_text(told, "a -> b") == (
        "a -> b: 3 changes\n"
        "  - column-removed  dbt_up.orders.amount  amount        BREAKING\n"
        "  ~ column-removed  dbt_up.orders.note    note -> text  DANGEROUS\n"
        "  - column-removed  dbt_up.orders.id      number(12,2)  SAFE\n"
    )


def test_an_entry_names_the_place_in_parts_and_the_class_with_its_reasons() -> None:
    told = Change(rule="promise-removed", project="dbt_up", asset="metric:revenue", before="metric")
    entry = change_entry(Classified(change=told, kind="DANGEROUS", code="S01", says="The metric is gone."))
    assert entry == {
        "rule": "promise-removed",
        "means": told.means,
        "object": "dbt_up.metric:revenue",
        "project": "dbt_up",
        "model": None,
        "column": None,
        "group": None,
        "before": "metric",
        "after": None,
        "asset": "metric:revenue",
        "code": "S01",
        "class": "DANGEROUS",
        "says": "The metric is gone.",
    }


def test_nothing_changed_says_so() -> None:
    assert change_text([], "a -> b") == "a -> b: nothing changed\n"
    assert change_markdown([], "a") == "#### <code>a</code>: nothing changed\n"
    assert change_document([], "a", "b") == {"old": "a", "new": "b", "changed": False, "changes": []}


def test_a_table_fits_into_a_comment_and_says_what_is_left_out() -> None:
    changes = [change(f"column_{number:05}") for number in range(10_000)]
    text = change_markdown(changes, "a -> b")
    told = text.count("| column-removed |")
    assert len(text) < 65_536
    assert told > 300
    assert text.endswith(f"\n\nand {10_000 - told:,} more\n")
    assert change_text(changes, "a").startswith("a: 10,000 changes\n")


def test_a_very_long_name_widens_no_other_line() -> None:
    lines = change_text([change("x" * 10_000), change("y")], "a").splitlines()
    assert len(lines[2]) < 120


@example("é_日本_x")
@given(st.text(max_size=50))
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()
