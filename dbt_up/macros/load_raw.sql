{# `dbt run-operation load_raw`: what is new in the stage, into the tables of
   create_landing. Snowflake remembers for 64 days which files a table was
   loaded from, so a second run loads nothing. A file that cannot be read stops
   the load, and none of the table's new files of its format is loaded then. #}
{% macro load_raw() %}
    {%- set sum = namespace(files=0, rows=0) -%}
    {%- for table in raw_tables() if not landed_relation(table) -%}
        {{- exceptions.raise_compiler_error(
            landed(table) ~ ' is not there, or may not be seen by '
            ~ target.role ~ '.\nnext: dbt run-operation create_landing --target '
            ~ target.name
        ) -}}
    {%- endfor -%}
    {%- for table in raw_tables() -%}
        {%- set found = namespace(files=0, rows=0) -%}
        {%- for format in ('parquet', 'csv') -%}
            {%- for row in run_query(copy_raw(table, format)) -%}
                {#- a table with nothing to load answers with one sentence -#}
                {%- if row | length > 1 and row[1] == 'LOADED' -%}
                    {%- set found.files = found.files + 1 -%}
                    {%- set found.rows = found.rows + (row[3] | int) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if found.files -%}
            {{- say_loaded(found, 'into ' ~ landed(table)) -}}
        {%- endif -%}
        {%- set sum.files = sum.files + found.files -%}
        {%- set sum.rows = sum.rows + found.rows -%}
    {%- endfor -%}
    {{- say_loaded(sum, 'from ' ~ landing_stage()) -}}
{% endmacro %}

{# Of CSV, columns by name means that a file may lack some and have others,
   which Snowflake counts as a mismatch unless told; and a backslash is one. #}
{% macro copy_raw(table, format) %}
    {%- set options = {
        'parquet': 'type = parquet use_logical_type = true',
        'csv': "type = csv parse_header = true "
            ~ "error_on_column_count_mismatch = false "
            ~ "field_optionally_enclosed_by = '\"' escape_unenclosed_field = none",
    } -%}
    copy into {{ landed(table) }}
    from {{ landing_stage() }}/{{ table }}/
    pattern = '.*[.]{{ format }}'
    file_format = ({{ options[format] }})
    match_by_column_name = case_insensitive
    on_error = abort_statement
{%- endmacro %}

{% macro say_loaded(found, where) %}
    {%- set rows = '{:,}'.format(found.rows) ~ ' rows of ' ~ found.files -%}
    {%- set files = ' file ' if found.files == 1 else ' files ' -%}
    {{- print('loaded ' ~ rows ~ files ~ where) -}}
{% endmacro %}
