"""Benchmarks, and the first minute with the gateway. See README.md; `python -m bench` runs every benchmark."""
