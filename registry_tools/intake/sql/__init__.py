"""Compiled SQL in, what it reads out: the only door to sqlglot."""
