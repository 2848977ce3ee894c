"""Scenarios of the delay rule in a file, evaluated without a database (docs/promises.md)."""
