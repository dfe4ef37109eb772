import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry_tools.cli.app import COMMANDS, load
from registry_tools.cli.app import mesh as command
from tests.running import REPOSITORY, RunningMesh

pytestmark = pytest.mark.mesh

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
DOCUMENTS = [*PAGES, *sorted((REPOSITORY / ".github").glob("*.md"))]
_BLOCK = re.compile(r"(?:<!-- (?P<note>[^>]*) -->\n)?```console\n(?P<lines>.*?)```", re.DOTALL)


def blocks(document: Path) -> list[tuple[str | None, list[str]]]:
    """Each console block of a document, with the note above it that says where it runs."""
    return [(found["note"], found["lines"].splitlines()) for found in _BLOCK.finditer(document.read_text())]


def runnable() -> list[tuple[str, list[str]]]:
    notes = [(note or "", lines) for page in PAGES for note, lines in blocks(page)]
    return [(note.removeprefix("runs in: "), lines) for note, lines in notes if note.startswith("runs in: ")]


def shape(line: str) -> str:
    """A line without what differs from one run to the next."""
    return re.sub(r"\d+", "0", line.strip())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_run_by_somebody(page: Path) -> None:
    assert all(note and note.startswith(("runs in: ", "run by: ")) for note, _ in blocks(page))


def test_some_commands_are_run() -> None:
    assert len(runnable()) > 10


@pytest.mark.parametrize(("folder", "lines"), runnable(), ids=[lines[0][2:] for _, lines in runnable()])
def test_the_commands_of_a_block_run_and_print_what_it_shows(demo: RunningMesh, folder: str, lines: list[str]) -> None:
    shutil.rmtree(demo.root / folder / "state", ignore_errors=True)
    demo.forget_grants()
    demo.forget_landing()
    printed: list[str] = []
    for line in (line for line in lines if line.startswith("$ ")):
        run = demo.shell(folder, line[2:])
        assert run.returncode == 0, f"{line}\n{run.stdout}"
        printed += [shape(told) for told in run.stdout.splitlines()]
    for line in (line for line in lines if not line.startswith("$ ")):
        assert shape(line) in printed


def test_the_reports_in_the_readme_are_those_of_the_golden_cases() -> None:
    shown = re.findall(r"<!-- case: (\w+) -->\n```text\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    assert len(shown) > 2
    for case, text in shown:
        assert (REPOSITORY / "tests/cases/impacts" / case / "expected.txt").read_text().startswith(text)


def test_the_help_in_the_readme_is_the_help() -> None:
    shown = re.search(r"<!-- help -->\n```text\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    assert shown
    printed = CliRunner().invoke(command, ["--help"], prog_name="mesh", terminal_width=100).output
    assert shown[1].strip() == printed.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_its_help_what_the_list_of_commands_says(name: str) -> None:
    printed = CliRunner().invoke(load(name), ["--help"]).output
    assert load(name).help
    assert "Usage:" in printed


def test_every_make_target_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for document in DOCUMENTS
        for _, lines in blocks(document)
        for line in lines
        for word in re.findall(r"^\$ make ([a-z-]+)", line)
    }
    assert named
    assert named <= targets


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
