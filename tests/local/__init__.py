"""The embedded mesh: its servers over real HTTP, and how they live and die."""
