{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set own = '' if target.name in ('prod', 'local') else target.schema -%}
    {{ [own, custom_schema_name] | select | join('_') or target.schema }}
{%- endmacro %}
