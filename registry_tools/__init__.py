"""Public dbt models shared between projects: manifest in, registry between, source YAML, loom files and state out."""
