{# `dbt run-operation create_landing`: the tables that load_raw fills, with the
   column types of the seeds of the same names. The schema and the stage are
   made by snowflake_setup/12_ingestion.sql, which takes an administrator; on the
   embedded mesh, which says where its files land, they are made here: there
   alone, because what it has exported stays when the target is another one.
   load_raw creates nothing, so whoever loads need not be allowed to. #}
{% macro create_landing() %}
    {%- set url = env_var('DBT_MESH_LANDING', '') -%}
    {%- if url and target.host == '127.0.0.1' -%}
        {%- for schema in ('RAW', var('landed_schema')) -%}
            {%- set name = var('raw_database') ~ '.' ~ schema -%}
            {%- do run_query('create schema if not exists ' ~ name) -%}
        {%- endfor -%}
        {%- set stage = landing_stage() | replace('@', '') -%}
        {%- do run_query(
            "create stage if not exists " ~ stage ~ " url = '" ~ url ~ "'"
        ) -%}
    {%- endif -%}
    {%- for table in raw_tables() if not landed_relation(table) -%}
        {%- do run_query(create_landed(table)) -%}
    {%- endfor -%}
{% endmacro %}

{% macro create_landed(table) %}
    {%- set seed = graph.nodes.get('seed.' ~ project_name ~ '.' ~ table) -%}
    {%- if not (seed and seed.config.column_types) -%}
        {{- exceptions.raise_compiler_error(
            'the columns of ' ~ table ~ ' are not known: there is no seed of that '
            ~ 'name that says its column_types.\n'
            ~ 'next: add one to seeds/, or make ' ~ landed(table) ~ ' by hand'
        ) -}}
    {%- endif -%}
    create table if not exists {{ landed(table) }} (
    {%- for column, type in seed.config.column_types.items() %}
        {{ column }} {{ type }}{{ ',' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}

{% macro raw_tables() %}
    {{- return(
        graph.sources.values()
        | selectattr('source_name', 'equalto', 'raw')
        | map(attribute='name') | list
    ) -}}
{% endmacro %}

{% macro landed(table) %}
    {%- set schema = var('raw_database') ~ '.' ~ var('landed_schema') -%}
    {{- return(schema ~ '.' ~ table) -}}
{% endmacro %}

{% macro landed_relation(table) %}
    {{- return(adapter.get_relation(
        var('raw_database'), var('landed_schema'), table | upper
    )) -}}
{% endmacro %}

{% macro landing_stage() %}
    {{- return('@' ~ var('raw_database') ~ '.RAW.LANDING') -}}
{% endmacro %}
