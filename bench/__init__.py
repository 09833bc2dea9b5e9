"""Benchmarks. Each is one command, `python -m bench.<name>`, and prints one table; `make bench` runs them all."""
