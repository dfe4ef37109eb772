{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- a target that lasts has its schema in upper case (mesh render) -#}
    {%- set own = target.schema if target.schema != target.schema | upper -%}
    {{ [own, custom_schema_name] | select | join('_') or target.schema }}
{%- endmacro %}
