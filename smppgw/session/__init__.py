"""SMPP sessions: one sans-I/O machine for both roles, and the asyncio shell around it."""
