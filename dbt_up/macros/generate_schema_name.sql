{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- a target that lasts has its schema in upper case (mesh render) -#}
    {%- set own = '' if target.schema is upper else target.schema -%}
    {{ [own, custom_schema_name] | select | join('_') or target.schema }}
{%- endmacro %}
