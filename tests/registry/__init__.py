"""The log and the publications survive faults, races and crashes."""

from typing import Final

from registry_tools.registry import layout

PROJECT: Final = "dbt_up"
ENVIRONMENT: Final = "prod"
LATEST: Final = layout.latest_key(PROJECT, ENVIRONMENT)
