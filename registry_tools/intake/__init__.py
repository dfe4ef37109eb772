"""dbt's artifacts, YAML files and the environment in, values of the mesh out."""
