"""Relations: read as dbt writes them, held as the warehouse stores them, printed so that both are the same table."""

import pytest

from registry_tools.mesh.relation import Part, Relation, fold, parse_relation


@pytest.mark.parametrize(
    ("written", "adapter", "printed"),
    [
        ("PROD.MARTS.ORDERS", "snowflake", "PROD.MARTS.ORDERS"),
        ("prod.marts.orders", "snowflake", "PROD.MARTS.ORDERS"),
        ("prod.marts.orders", "postgres", "prod.marts.orders"),
        ('"prod"."marts"."orders"', "snowflake", '"prod"."marts"."orders"'),
        ('PROD.marts."Odd.Name"', "snowflake", 'PROD.MARTS."Odd.Name"'),
        ('"a""b"', "snowflake", '"a""b"'),
        ("`prod`.`marts`.`Orders`", "databricks", "`prod`.`marts`.`Orders`"),
        ("marts.orders", "snowflake", "MARTS.ORDERS"),
        ("orders", "spark", "orders"),
        ('"commande réglée"', "snowflake", '"commande réglée"'),
        ("straße", "snowflake", "STRAßE"),
        ("Up.Jaffle.Commande_Réglée", "postgres", "up.jaffle.commande_réglée"),
        ('"Up".Jaffle."Orders"', "trino", '"Up".jaffle."Orders"'),
        ("my-project-1.Jaffle.Orders-2", "bigquery", "my-project-1.Jaffle.Orders-2"),
        ("`example.com:my-project`.jaffle.Orders", "bigquery", "`example.com:my-project`.jaffle.Orders"),
    ],
)
def test_a_relation_is_read_and_printed(written: str, adapter: str, printed: str) -> None:
    relation = parse_relation(written, adapter)
    assert str(relation) == printed
    assert parse_relation(printed, adapter) == relation


def test_parts_that_are_not_there_are_left_out() -> None:
    relation = parse_relation("marts.orders", "snowflake")
    assert relation == Relation(database=None, schema=Part(name="MARTS"), identifier=Part(name="ORDERS"))
    assert parse_relation("orders", "").schema is None


def test_a_doubled_quote_is_one_character_of_the_name() -> None:
    assert parse_relation('"a""b"', "snowflake").identifier == Part(name='a"b', quote='"')


def test_a_doubled_backtick_is_one_character_of_the_name() -> None:
    name = Part(name="a`b", quote="`")
    assert parse_relation(str(name), "bigquery").identifier == name


@pytest.mark.parametrize(
    "written", ["", ".", "a.", ".a", "a..b", "a.b.c.d", '"a', 'a"b"', '"a"b', '"a""', "`a", "a`b`", '""a"."b"']
)
def test_what_is_no_relation_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not database\.schema\.identifier"):
        parse_relation(written, "snowflake")


@pytest.mark.parametrize("written", ['P.M.""', '"".M.O', "`p`.``.`o`"])
def test_a_part_without_a_name_is_refused(written: str) -> None:
    """dbt would take the consumer's own database, or the source's name for the table's."""
    with pytest.raises(ValueError, match="has a part without a name"):
        parse_relation(written, "bigquery")


@pytest.mark.parametrize(
    "written", ["PROD.MARTS.x; drop table y", "a b", "a\nb", "x--", "{{ x }}", "a/*", "a'b", "f(x)", "a,b", "a=b"]
)
def test_an_unquoted_part_holds_no_more_sql_than_a_name(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not database\.schema\.identifier"):
        parse_relation(written, "snowflake")


@pytest.mark.parametrize(
    ("adapters", "stored"),
    [
        ("snowflake oracle", "ORDERS_É"),
        ("postgres redshift trino athena databricks", "orders_É"),
        ("bigquery duckdb spark clickhouse sqlserver", "Orders_É"),
    ],
)
def test_an_unquoted_name_is_folded_as_its_warehouse_does(adapters: str, stored: str) -> None:
    folded = {adapter: fold("Orders_É", adapter) for adapter in adapters.split()}
    assert folded == dict.fromkeys(folded, stored)


@pytest.mark.parametrize("written", ["a--b", "-a", "a-", "a.-b", "a-.b", "my-project.a b", "a -b"])
def test_dashes_without_quotes_neither_begin_a_comment_nor_stand_at_an_end(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not database\.schema\.identifier"):
        parse_relation(written, "bigquery")


def test_dashes_without_quotes_are_no_names_elsewhere() -> None:
    with pytest.raises(ValueError, match=r"is not database\.schema\.identifier"):
        parse_relation("my-project.jaffle.orders", "postgres")


def test_databases_and_schemas_are_mapped_by_their_stored_names() -> None:
    relation = parse_relation("prod.marts.orders", "snowflake")
    assert str(relation.mapped({"PROD": "SHARED"}, {"MARTS": "UP"})) == "SHARED.UP.ORDERS"
    assert relation.mapped({"prod": "SHARED"}, {"OTHER": "UP"}) == relation


def test_mapping_keeps_the_quotes_and_leaves_what_is_not_there() -> None:
    assert str(parse_relation('"p"."m"."o"', "snowflake").mapped({"p": "s"}, {})) == '"s"."m"."o"'
    assert str(parse_relation("o", "spark").mapped({"p": "s"}, {"m": "n"})) == "o"
