"""Servers that come as Python packages and run under our own roof: PostgreSQL and Valkey on loopback."""
