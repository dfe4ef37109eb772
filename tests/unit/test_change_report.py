"""Reports of changes: lines, tables and documents that nothing in a name or a description can break out of."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from registry_tools.artifacts.change_report import change_entries, change_markdown, change_text
from registry_tools.mesh.change import Change
from registry_tools.mesh.printable import printable

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


def change(text: str) -> Change:
    return Change(rule="column-removed", project="dbt_up", model="orders", column=text, before=printable(text) or None)


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
    heading, cells = seen.cells[0], seen.cells[6:]
    assert squeezed(heading) == squeezed(f"{printable(text)}: 2 changes")
    assert len(cells) == 10
    assert squeezed(cells[2]) == squeezed(f"dbt_up.orders.{printable(text)}")
    assert squeezed(cells[3]) == squeezed(printable(text))
    # What GitHub makes into mentions and links stands behind an entity, inside code.
    for row in markdown.split("|---|\n")[1].splitlines():
        letters = re.sub(r"</?code>|&#[0-9]+;", "", row)
        assert letters.count("|") == 6
        assert "www." not in letters.lower()
        assert not set("@`<>[]$#:*~!\\") & set(letters)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_on_its_line(text: str) -> None:
    lines = change_text([change(text), change("next")], text).split("\n")
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)


def test_nothing_changed_says_so() -> None:
    assert change_text([], "a -> b") == "a -> b: nothing changed\n"
    assert change_markdown([], "a") == "#### <code>a</code>: nothing changed\n"
    assert change_entries([]) == []


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
