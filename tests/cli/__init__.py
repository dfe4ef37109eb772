"""What people type wrongly ends in one message and one exit code, and nothing is written."""
