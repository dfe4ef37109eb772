"""Names: what may become a key, a folder or a word of YAML, and what may not."""

from collections.abc import Callable

import pytest

from registry_tools.errors import UsageError
from registry_tools.mesh import names

NOWHERE = ["", " ", ".", "..", "../up", "a/b", "a\\b", "/etc", "a\0b", "a\n", "a\r\n", "\na", "a'b", 'a"b', "a:b"]
EXECUTED = ["{{ x }}", "{% x %}", "a`b", "${X}", "a;b", "a#b", "a\u2028b", "a\u202eb", "a\ufeff"]
RESERVED = ["con", "CON", "prn", "aux", "nul", "NUL", "com1", "COM0", "lpt9"]


@pytest.mark.parametrize("text", ["dbt_up", "A", "Jaffle_Shop2", "a" * 63, "console", "com10"])
def test_a_dbt_project_name_is_a_project_name(text: str) -> None:
    assert names.project_name(text) == text


@pytest.mark.parametrize(
    "text",
    [*NOWHERE, *EXECUTED, *RESERVED, "_edges", "_private", "1up", "dbt-up", "a" * 64, "übung", "\uff41", "a²", "a b"],
)
def test_what_is_no_project_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a project name"):
        names.project_name(text)


@pytest.mark.parametrize("text", ["prod", "ci-42", "dev_ada", "2026", "a" * 63])
def test_an_environment_is_lower_case(text: str) -> None:
    assert names.environment_name(text) == text


@pytest.mark.parametrize("text", [*NOWHERE, *EXECUTED, *RESERVED, "Prod", "_prod", "-prod", "a" * 64, "\u0663"])
def test_what_is_no_environment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an environment"):
        names.environment_name(text)


def test_a_publication_id_is_a_time_and_a_digest() -> None:
    assert names.publication_id("20260123T064541Z-0123456789ab") == "20260123T064541Z-0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        *NOWHERE,
        "20260123T064541Z-0123456789AB",
        "20260123T064541Z-0123456789ab\n",
        "20260123T064541Z-0123456789ab/..",
        "20260123T064541-0123456789ab",
        "\u0662\u0660\u0662\u0666\u0660\u0661\u0662\u0663T\u0660\u0666\u0664\u0665\u0664\u0661Z-0123456789ab",
    ],
)
def test_what_is_no_publication_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a publication id"):
        names.publication_id(text)


@pytest.mark.parametrize("text", ["orders", "Orders V2", "fct.orders$1", "ordres_réglés", "注文", "1st", "a" * 255])
def test_a_file_name_that_dbt_accepts_is_a_model_name(text: str) -> None:
    assert names.model_name(text) == text


@pytest.mark.parametrize("text", [*NOWHERE, *EXECUTED, "nul", "-a", ".a", "a" * 256, "a\tb", "a\u00a0b"])
def test_what_is_more_than_a_model_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a model name"):
        names.model_name(text)


@pytest.mark.parametrize("check", [names.project_name, names.environment_name, names.publication_id, names.model_name])
def test_a_refusal_says_where_and_stays_one_short_line(check: Callable[..., str]) -> None:
    with pytest.raises(UsageError) as caught:
        check("/" * 5000, where="mesh.yml")
    assert caught.value.where == "mesh.yml"
    assert caught.value.what.count("/") == 77
    assert caught.value.then.startswith("use ")
    assert caught.value.exit_code == 2
