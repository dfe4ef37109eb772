"""Every version of dbt that consumers run, and every way in which they read an upstream, held against one fixture."""
