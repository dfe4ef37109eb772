"""Reports of verdicts: whole, in the same words, within their limits, and inert whatever somebody wrote."""

import json
import re
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # dbt brings it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.artifacts.change_report import change_document
from registry_tools.artifacts.markdown_text import fenced, prose
from registry_tools.artifacts.verdict_document import verdict_document
from registry_tools.artifacts.verdict_github import verdict_annotations
from registry_tools.artifacts.verdict_markdown import marker, verdict_markdown
from registry_tools.artifacts.verdict_sarif import verdict_sarif
from registry_tools.artifacts.verdict_text import plain_text, verdict_text
from registry_tools.artifacts.verdict_words import MEANS, answer_words, circumstances
from registry_tools.mesh.change import RULES
from registry_tools.mesh.impact import EFFECTS, REASONS
from registry_tools.mesh.printable import printable
from registry_tools.mesh.use import Place
from registry_tools.mesh.verdict import Advice, Reader, Verdict
from tests.golden import assert_stands
from tests.unit.test_change_report import HOSTILE, Cells, squeezed
from tests.verdicts import (
    ADDED,
    APPROVED,
    NULLABLE,
    PLACES,
    QUIET,
    READERS,
    REMOVED,
    SEVERAL,
    TYPED,
    VERDICTS,
    impact,
    judged,
    reason,
    reports,
    verdict,
)

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests/cases/verdicts"
SCHEMA = json.loads((REPOSITORY / "docs/check-report.schema.json").read_text())
WORSE = [
    *HOSTILE,
    "</details>",
    "```\n# out\n```",
    "--> <b>",
    "[x](1)",
    "100%",
    "\x1b]8;;http://x\x07",
]
FOLDER = PurePath("dbt_up")


def text_of(told: Verdict, *, verbose: bool = False) -> str:
    return plain_text(verdict_text(told, verbose=verbose))


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("file", reports(SEVERAL))
def test_every_report_is_the_expected_one(name: str, file: str) -> None:
    assert_stands(GOLDEN / name / file, reports(VERDICTS[name])[file])


# -- text -------------------------------------------------------------------------------------------------------------


def test_nothing_depends_on_colour() -> None:
    text = text_of(SEVERAL)
    for word in ("error: ", "warning: ", "note: ", "allowed: ", "BROKEN  dbt_down@prod", "UNKNOWN  ", "AFFECTED  "):
        assert word in text
    assert text.endswith("next: change it in one of the ways above, then check again\n")


def test_a_clean_result_is_two_or_three_lines() -> None:
    assert text_of(VERDICTS["nothing"]).count("\n") == 1
    assert text_of(verdict(ADDED, readers=READERS[2:])).splitlines() == [
        "allowed: + column-added  dbt_up.public_orders.note  varchar  SAFE",
        "dbt_up@prod: yes, 1 change may go on (against dbt_up@prod#41; mode consumers; 1 consumer looked at)",
        "next: publish it",
    ]


def test_the_legend_explains_what_occurs_and_nothing_else() -> None:
    text = text_of(verdict(NULLABLE))
    assert [effect for effect in EFFECTS if f"{effect} = {MEANS[effect]}" in text] == ["AFFECTED"]
    assert "private-" not in text
    assert "private-... = " in text_of(verdict(REMOVED))
    assert "UNAFFECTED" not in text_of(verdict(REMOVED))
    assert f"UNAFFECTED = {MEANS['UNAFFECTED']}" in text_of(verdict(REMOVED), verbose=True)


def many(noun: str, number: int) -> Verdict:
    """A verdict with so many places, consumers, changes, quiet changes or notices."""
    places = [reason(f"model.dbt_down.m{at}") for at in range(number if noun == "place" else 1)]
    impacts = [impact(*places, consumer=f"c{at}") for at in range(number if noun == "consumer" else 1)]
    loud = replace(REMOVED, impacts=tuple(impacts))
    match noun:
        case "change":
            return verdict(*[loud] * number)
        case "quiet":
            return verdict(*[ADDED] * number)
        case "note":
            return verdict(ADDED, notices=tuple(f"notice {at}" for at in range(number)))
        case "in all":
            return verdict(
                loud, *(replace(loud, impacts=(impact(*places, consumer=f"c{at}"),)) for at in range(number))
            )
        case _:
            return verdict(loud)


@pytest.mark.parametrize(
    ("noun", "most", "line"),
    [
        ("place", 3, "    ...and 17 more places (--verbose shows all)"),
        ("consumer", 8, "  ...and 12 more consumers (--verbose shows all)"),
        ("quiet", 5, "  ...and 15 more changes (--verbose shows all)"),
        ("note", 8, "...and 12 more notes (--verbose shows all)"),
        ("in all", 8, "  ...and 12 more consumers (--verbose shows all)"),
    ],
)
def test_a_long_list_is_cut_and_counted(noun: str, most: int, line: str) -> None:
    assert line in text_of(many(noun, 20)).splitlines()
    for told in (text_of(many(noun, 20), verbose=True), text_of(many(noun, most + 1)), text_of(many(noun, most))):
        assert "...and" not in told
    assert len(text_of(many(noun, 20)).splitlines()) < len(text_of(many(noun, 20), verbose=True).splitlines())


def test_many_loud_changes_are_cut_and_the_answer_still_stands() -> None:
    text = text_of(many("change", 200))
    assert text.count("error: ") == 20
    assert "...and 180 more changes like these (--verbose shows all)\n" in text
    assert "dbt_up@prod: no, 200 of 200 changes are refused" in text
    assert text.count("latest_version") == 3
    assert text.count("(9 lines to paste: mesh check --verbose)") == 17
    assert text_of(many("change", 200), verbose=True).count("latest_version") == 200


def test_of_several_texts_to_paste_the_cheapest_way_s_is_shown() -> None:
    ways = (*REMOVED.advice, *REMOVED.advice)
    text = text_of(verdict(replace(REMOVED, advice=ways)))
    assert text.count("latest_version") == 1
    assert "  or: keep it and add public_orders.v2 without it (9 lines to paste: mesh check --verbose)\n" in text
    assert text.count("mesh approve") == 2


def test_what_is_to_be_pasted_can_be_pasted() -> None:
    assert "\n      models:\n        - name: public_orders\n" in text_of(verdict(REMOVED))


def test_the_worst_place_is_not_the_one_that_is_cut() -> None:
    mild = [reason(f"model.dbt_down.a{at}", effect="AFFECTED") for at in range(9)]
    hurt = replace(REMOVED, impacts=(impact(*mild, reason("model.dbt_down.z"), effect="BROKEN"),))
    assert "    z   it names the column\n    a0  AFFECTED: it names the column\n" in text_of(verdict(hurt))
    assert "  z: it names the column%0A" in verdict_annotations(verdict(hurt), {}, FOLDER)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (verdict(), "yes, nothing changed"),
        (verdict(ADDED, QUIET), "yes, 2 changes may go on"),
        (verdict(APPROVED), "yes, 1 change may go on, 1 as approved"),
        (verdict(TYPED, ADDED), "unknown, 1 of 2 changes is not known to be harmless"),
        (verdict(REMOVED, REMOVED), "no, 2 of 2 changes are refused"),
        (verdict(REMOVED, TYPED, TYPED, ADDED), "no, 1 of 4 changes is refused, and 2 not known to be harmless"),
    ],
)
def test_the_answer_says_what_it_rests_on(told: Verdict, answer: str) -> None:
    assert answer_words(told) == answer
    assert answer in text_of(told)
    assert answer in verdict_markdown(told)


def test_several_modes_are_named_the_strictest_last() -> None:
    told = verdict(replace(ADDED, mode="frozen"), replace(ADDED, mode="off"))
    assert circumstances(told) == "modes off, frozen; 0 consumers looked at"


@pytest.mark.parametrize(
    ("told", "step"),
    [
        (verdict(ADDED), "next: publish it\n"),
        (verdict(NULLABLE), "next: publish it, and tell the consumers above\n"),
        (verdict(TYPED), "next: let the consumers above publish what they read, then check again\n"),
    ],
)
def test_the_last_line_is_what_to_do(told: Verdict, step: str) -> None:
    assert text_of(told).endswith(step)


def test_a_safe_change_is_told_quietly_where_somebody_s_columns_are_not_known() -> None:
    unread = impact(reason("model.dbt_down.forecast", effect="UNKNOWN", rule="unread"))
    told = verdict(replace(ADDED, impacts=(unread,)))
    row = "+ column-added  dbt_up.public_orders.note  varchar  SAFE  UNKNOWN for dbt_down@prod"
    assert f"allowed: {row}\n" in text_of(told)
    assert "UNKNOWN = " in text_of(told)
    assert "UNKNOWN for <code>dbt_down&#64;prod</code>" in verdict_markdown(told)
    assert verdict_annotations(told, {}, FOLDER) == ""


def test_who_is_hurt_most_often_comes_first_among_equals() -> None:
    twice = replace(REMOVED, impacts=(impact(reason("model.z.a"), consumer="z"),))
    once = replace(REMOVED, impacts=(*twice.impacts, impact(reason("model.a.a"), consumer="a")))
    assert "in all:\n  BROKEN    z@prod  2 changes\n  BROKEN    a@prod  1 change\n" in text_of(verdict(twice, once))


def test_what_was_compiled_has_no_reason_not_to_be() -> None:
    reader = replace(READERS[0], why_not="no state")
    assert "not compiled" not in text_of(verdict(ADDED, readers=(reader,)))


def test_what_was_not_compiled_is_said_once_for_a_reason() -> None:
    readers = tuple(
        Reader(consumer=f"c{at:02}", environment="prod", nodes=1, unread=0, owner={}, why_not="no state")
        for at in range(20)
    )
    text = text_of(verdict(ADDED, readers=readers))
    assert text.count("not compiled again") == 1
    assert "c11@prod and 8 more: no state" in text


# -- the document -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VERDICTS)
def test_the_document_is_what_its_schema_says(name: str) -> None:
    jsonschema.validate(verdict_document(VERDICTS[name]), SCHEMA)


def keys(document: Any) -> set[str]:
    """Every key anywhere in the document but those that people chose."""
    match document:
        case dict():
            deeper = (keys(value) for key, value in document.items() if key != "owner")
            return set(document).union(*deeper)
        case list():
            return set().union(*map(keys, document))
        case _:
            return set()


def test_no_key_is_undocumented_and_no_id_either() -> None:
    described = set(re.findall(r"`([^`]+)`", (REPOSITORY / "docs/check-report.md").read_text()))
    assert keys(verdict_document(SEVERAL)) <= described
    assert keys(change_document([judged.classified for judged in SEVERAL.judged], "a", "b")) <= described
    assert REASONS.keys() <= described
    assert {f"consumers_{effect.lower()}" for effect in EFFECTS} <= described


def test_the_schema_describes_every_key_of_the_document_and_asks_for_it() -> None:
    kinds = [SCHEMA, *(kind for kind in SCHEMA["$defs"].values() if "properties" in kind)]
    named = set().union(*(kind["properties"] for kind in kinds))
    assert keys(verdict_document(SEVERAL)) == named
    assert all(sorted(kind["required"]) == sorted(kind["properties"]) for kind in kinds)
    broken = verdict_document(SEVERAL) | {"answer": "perhaps"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_the_counts_add_up() -> None:
    counts = verdict_document(SEVERAL)["counts"]
    assert counts["changes"] == 6 == sum(counts[key] for key in ("refused", "unknown", "approved", "allowed"))
    assert counts["consumers"] == 3 == sum(counts[f"consumers_{effect.lower()}"] for effect in EFFECTS)
    assert counts["consumers_broken"] == 2
    # Whoever reads through others need not be among those who were looked at.
    assert verdict_document(replace(SEVERAL, readers=()))["counts"]["consumers_unaffected"] == 0


def test_the_order_of_an_owner_s_facts_does_not_matter() -> None:
    readers = tuple(replace(reader, owner=dict(reversed(list(reader.owner.items())))) for reader in READERS)
    assert json.dumps(verdict_document(replace(SEVERAL, readers=readers))) == json.dumps(verdict_document(SEVERAL))


# -- Markdown ---------------------------------------------------------------------------------------------------------


def test_the_first_line_is_found_again() -> None:
    assert verdict_markdown(SEVERAL).startswith("<!-- mesh-check dbt_up@prod -->\n### ")
    assert marker("a-->b", "p rod") == "<!-- mesh-check a--?b@p?rod -->"


def test_a_comment_is_never_too_long_and_says_what_it_leaves_out() -> None:
    places = tuple(reason(f"model.dbt_down.m{at}", path=f"models/m{at}.sql", line=at) for at in range(1, 2_000))
    long = replace(REMOVED, impacts=(impact(*places),))
    readers = tuple(replace(READERS[0], consumer=f"consumer_{at}") for at in range(2_000))
    told = verdict(*[long] * 300, *[ADDED] * 2_000, readers=readers, notices=("a notice " * 9,) * 200)
    text = verdict_markdown(told)
    assert 50_000 < len(text) <= 60_000
    assert text.count("<details>") == text.count("</details>")
    for noun in ("places", "changes", "rows", "notes"):
        assert re.search(rf"\n\.\.\.and [\d,]+ {noun} more, for which a comment has no room\n", text)


@pytest.mark.parametrize("text", ["x" * 100_000, "@" * 100_000])
def test_one_endless_text_does_not_make_it_too_long(text: str) -> None:
    endless = replace(REMOVED, because=text, advice=(Advice(way="alias", says=text, paste=text),))
    told = verdict(endless, replace(ADDED, because=text), old=text, notices=(text,))
    written = verdict_markdown(told)
    assert len(written) <= 60_000
    assert "mesh check --verbose prints it" in written or "for which a comment has no room" in written


def hostile(text: str) -> Verdict:
    """The text in every place of a verdict that somebody else can write."""
    node = reason(f"model.dbt_down.{text}", model=text, column=text, path=text, line=1, told=text, through=(text,))
    hurts = (impact(node, consumer=text, environment=text, owner={"team": text, "contact": text}),)
    facts: dict[str, Any] = {
        "before": printable(text) or None,
        "after": "x",
        "says": text,
        "because": text,
        "code": text,
    }
    advice = (
        Advice(way="alias", says=text, paste=f"{text}\n{text}"),
        Advice(way="approve", says=text, paste=text),
    )
    loud = judged("column-removed", text, impacts=hurts, advice=advice, model=text, **facts)
    quiet = judged("column-added", text, **{**facts, "kind": "SAFE", "outcome": "allowed"})
    reader = Reader(consumer=text, environment=text, nodes=1, unread=1, owner={"team": text}, why_not=text)
    told = verdict(loud, quiet, readers=(reader,), notices=(text,), old=text, new=text)
    return replace(told, project=text, environment=text)


def lines_of(told: Verdict) -> list[str]:
    return text_of(told, verbose=True).split("\n")


@pytest.mark.parametrize("text", WORSE)
def test_hostile_text_adds_no_line_and_no_command(text: str) -> None:
    lines = lines_of(hostile(text))
    pasted = 2 * (1 + text.count("\n")) + 1 + text.count("\n")
    assert len(lines) <= len(lines_of(hostile("harmless"))) + pasted
    assert all(line.isprintable() for line in lines)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
    written = verdict_annotations(hostile(text), {text: Place(path=text, line=1)}, FOLDER)
    assert written.count("\n") == 1
    assert written[:-1].isprintable()
    _, head, _ = written.split("::", 2)
    assert re.fullmatch(r"error file=[^:,]*,line=1,title=mesh%3A BREAKING column-removed", head)


@pytest.mark.parametrize("text", WORSE)
def test_hostile_text_is_shown_in_a_comment_and_does_not_act(text: str) -> None:
    assert_inert(hostile(text))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_nothing_that_anybody_writes_acts_in_a_comment(text: str) -> None:
    assert_inert(hostile(text))


TAGS = {"h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "p", "strong", "code", "pre", "ul", "li"}


def assert_inert(told: Verdict) -> None:
    markdown = verdict_markdown(told)
    seen = Cells(markdown)
    assert seen.tags <= TAGS | {"details", "summary"}
    assert seen.attributes <= {"class"}  # of a fenced block, its language
    # In what is neither code nor a block to paste, nothing is left for GitHub to act upon.
    bare = re.sub(r"<code>[^`]*?</code>", "", re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", markdown))
    first, words = bare.split("\n", 1)
    assert first == marker(told.project, told.environment)
    assert not re.search(r"@|https?:|www\.|#\d|\]\(|!\[|:\w+:", words)
    assert set(re.findall(r"<[^>]*>", words)) <= {"<details>", "</details>", "<summary>", "</summary>"}
    # A row has the cells of its table.
    for table in re.findall(r"(?m)(?:^\|.*\n)+", bare):
        head, *rows = table.splitlines()
        assert {row.count("|") for row in rows} == {head.count("|")}


@pytest.mark.parametrize("text", WORSE)
def test_prose_shows_the_very_text(text: str) -> None:
    shown = Cells(f"#### {prose(f'keep {text} here')}").cells
    assert squeezed("".join(shown)) == squeezed(f"keep {printable(text)} here")


def test_words_stay_words_and_names_become_code() -> None:
    assert prose("Keep the column (it's in use), 3 read it; talk to them.") == (
        "Keep the column (it's in use), 3 read it; talk to them."
    )
    assert prose("say @all that dbt_up.x goes") == "say <code>&#64;all</code> that <code>dbt_up.x</code> goes"
    assert prose("a (of b, #c), d.e: x f(1).") == (
        "a (of b, <code>&#35;c</code>), <code>d.e</code>: x <code>f(1)</code>."
    )
    assert prose("") == ""


def test_a_number_with_a_full_stop_begins_no_list() -> None:
    assert prose("1. first") == "<code>1</code>. first"


def test_a_block_has_the_lines_that_it_was_given_and_no_other() -> None:
    assert fenced("a\x1b[2J\u202eb\rc\u2028d", "sh") == "```sh\na\\x1b[2J\\u202eb\\rc\\u2028d\n```\n"


@pytest.mark.parametrize("inside", ["```", "````", "x ``````` y", "~~~", "plain"])
def test_nothing_breaks_out_of_a_block(inside: str) -> None:
    block = fenced(f"a: 1\n{inside}\nb: 2\n", "yaml")
    fence = block.split("yaml", 1)[0]
    assert set(fence) == {"`"}
    assert len(fence) >= 3
    assert fence not in inside
    assert block == f"{fence}yaml\na: 1\n{inside}\nb: 2\n{fence}\n"


# -- annotations and SARIF --------------------------------------------------------------------------------------------


def test_each_loud_change_is_annotated_at_its_column_or_its_model() -> None:
    heads = [line.rpartition("::dbt_up@prod")[0] for line in verdict_annotations(SEVERAL, PLACES, FOLDER).splitlines()]
    file = "file=dbt_up/models/marts/public_orders.yml"
    assert heads == [
        f"::error {file},line=3,title=mesh%3A BREAKING column-removed",
        f"::warning {file},line=21,title=mesh%3A DANGEROUS column-type-changed",
        f"::warning {file},line=3,title=mesh%3A DANGEROUS test-removed",
        "::notice title=mesh%3A BREAKING model-removed",
    ]


def test_the_message_names_consumer_model_file_and_line() -> None:
    first = verdict_annotations(SEVERAL, PLACES, FOLDER).splitlines()[0]
    assert "BROKEN dbt_down@prod Orders Analytics #orders%0A" in first
    assert "downstream_orders models/marts/downstream_orders.sql:14: it names the column" in first
    assert "approve: let it happen:  mesh approve column-removed" in first


def test_an_annotation_is_no_longer_than_a_margin() -> None:
    assert "...and 10 consumers besides" in verdict_annotations(many("consumer", 20), {}, FOLDER)
    assert "...and 17 places besides" in verdict_annotations(many("place", 20), {}, FOLDER)


def test_a_change_of_the_project_has_no_file() -> None:
    renamed = judged("project-renamed", None, model=None, before="a", after="b")
    assert verdict_annotations(verdict(renamed), PLACES, FOLDER).startswith("::error title=")


def assert_sarif(log: Any) -> None:
    """What SARIF 2.1.0 demands of the parts that we write: sarifLog (3.13), run (3.14), tool (3.18), toolComponent
    (3.19), reportingDescriptor (3.49), result (3.27), message (3.11), location (3.28), artifactLocation (3.4), region
    (3.30); and what GitHub asks for besides: one place and a fingerprint for each result.
    """
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
        assert re.fullmatch(r"mesh-check/[\w@%.~-]+/", run["automationDetails"]["id"], re.ASCII)
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            assert not re.search(r"(?<!\\)(\\\\)*[\[\]]", result["message"]["text"])
            assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
            (location,) = result["locations"]
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)
            assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1


@pytest.mark.parametrize("told", [*VERDICTS.values(), *map(hostile, WORSE)])
def test_the_log_is_what_sarif_demands(told: Verdict) -> None:
    assert_sarif(verdict_sarif(told, {**PLACES, "x": Place(path="a b#?.sql")}, FOLDER))


def results(told: Verdict, places: dict[str, Place]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = verdict_sarif(told, places, FOLDER)["runs"][0]["results"]
    return found


def test_each_loud_or_dangerous_change_is_a_result_and_its_rule_is_told_once() -> None:
    told = verdict(*SEVERAL.judged, *SEVERAL.judged)
    log = verdict_sarif(told, PLACES, FOLDER)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == 5
    assert all(rule["shortDescription"]["text"] == RULES[rule["id"]].means for rule in rules)
    assert [(result["ruleId"], result["level"]) for result in results(SEVERAL, PLACES)] == [
        ("column-removed", "error"),
        ("column-type-changed", "warning"),
        ("test-removed", "warning"),
        ("model-removed", "note"),
        ("constraint-removed", "note"),
    ]


def test_a_result_without_a_place_stands_in_the_project_s_own_file() -> None:
    (result,) = results(verdict(REMOVED), {})
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "dbt_up/dbt_project.yml"
    (known,) = results(verdict(REMOVED), {"public_orders": Place(path="a b.yml")})
    assert known["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dbt_up/a%20b.yml"
    assert "region" not in known["locations"][0]["physicalLocation"]


def test_a_fingerprint_stays_when_lines_move_and_differs_when_changes_do() -> None:
    def fingerprint(told: Verdict, line: int) -> str:
        (result,) = results(told, {"public_orders": Place(path="a.yml", line=line)})
        return str(result["partialFingerprints"]["meshChange/v1"])

    assert fingerprint(verdict(REMOVED), 3) == fingerprint(verdict(REMOVED), 30)
    assert fingerprint(verdict(REMOVED), 3) != fingerprint(verdict(NULLABLE), 3)
    assert fingerprint(verdict(REMOVED), 3) != fingerprint(verdict(REMOVED, environment="dev"), 3)
