"""Unit tests: one file a promise, no network, no clock, no home directory."""
