"""The executor's expressions, held against what GitHub documents of its own."""

from typing import Any

import pytest

from tests.workflows.expressions import evaluate, holds, interpolated, value_of

CONTEXTS = {
    "github": {"event_name": "push", "event": {"number": None}, "ref": "refs/heads/main"},
    "inputs": {"deps": True, "chain": "", "my-name": "x"},
    "needs": {"a": {"result": "success"}, "b": {"result": "skipped"}},
    "job": {"status": "success"},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.event_name == 'push'", True),
        ("github.event_name == 'PUSH'", True),  # texts are compared without regard to case
        ("github.event.number && 'pr' || 'ci'", "ci"),
        ("inputs.my-name", "x"),
        ("inputs.chain || github.event.client_payload.chain", None),
        ("!contains(inputs.chain || github.event.client_payload.chain, '/x/')", True),
        ("contains('/a/x/', '/x/')", True),
        ("""contains(fromJSON('["dbt_up"]'), 'dbt')""", False),
        ("""contains(fromJSON('["dbt_up"]'), 'dbt_up')""", True),
        ("inputs.nothing == ''", True),  # both are 0
        ("'it''s'", "it's"),
        ("inputs.deps && (1 == 2 || 'x' != 'y')", True),
        ("1 == '1'", True),
        ("join(needs.*.result, ' ')", "success skipped"),
        ("format('{0}-{1}', 'a', true)", "a-true"),
    ],
)
def test_it_is_what_github_says_it_is(expression: str, value: Any) -> None:
    assert evaluate(expression, CONTEXTS) == value


def test_a_text_with_expressions_is_a_text_and_an_expression_alone_its_value() -> None:
    assert interpolated("a ${{ inputs.deps }} ${{ inputs.nothing }}b", CONTEXTS) == "a true b"
    assert value_of("${{ inputs.deps }}", CONTEXTS) is True
    assert value_of("${{ inputs.my-name }}/${{ inputs.my-name }}", CONTEXTS) == "x/x"
    assert value_of(" x ${{ inputs.deps }}", CONTEXTS) == " x true"


def test_a_condition_holds_only_while_all_went_well_unless_it_asks_itself() -> None:
    failed = CONTEXTS | {"job": {"status": "failure"}}
    assert holds(None, CONTEXTS)
    assert not holds(None, failed)
    assert not holds("inputs.deps", failed)
    assert holds("${{ !cancelled() && inputs.deps }}", failed)
    assert holds("always()", failed)
    assert not holds("failure()", CONTEXTS)


@pytest.mark.parametrize("expression", ["a ? b", "1 1", "(1", "github.'a'", "nowhere.x", "toJSON(github)", "== 1"])
def test_what_it_does_not_know_is_an_error(expression: str) -> None:
    with pytest.raises((SyntaxError, LookupError)):
        evaluate(expression, CONTEXTS)
