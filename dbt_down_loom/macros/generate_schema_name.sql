{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- mesh render writes the schema of a target that lasts in upper case,
        and a builder's own in lower case -#}
    {%- set lasts = target.schema == target.schema | upper -%}
    {%- set own = '' if lasts else target.schema -%}
    {{ [own, custom_schema_name] | select | join('_') or target.schema }}
{%- endmacro %}
