"""The log and the publications survive faults, races and crashes."""
