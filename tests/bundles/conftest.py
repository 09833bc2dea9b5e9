"""Fixtures of the bundles' tests: an engine whose server may do what bundles ask for."""

from tests.engine.conftest import cluster, db, instance, pytest_asyncio_loop_factories, sim

__all__ = ["cluster", "db", "instance", "pytest_asyncio_loop_factories", "sim"]
