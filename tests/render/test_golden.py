"""Manifests, byte for byte. After a change that is meant: ``python -m tests.render.regenerate``, and read the diff."""

from pathlib import Path

import pytest

from .cases import GOLDEN, golden_manifests, read, rendered_cases

CASES = rendered_cases()


@pytest.mark.parametrize("name", CASES)
def test_manifests(name: str) -> None:
    assert golden_manifests(read(CASES[name])) == (GOLDEN / f"{name}.yaml").read_text()


def test_no_golden_file_is_left_over() -> None:
    outputs = {path.stem for path in GOLDEN.glob("*.yaml") if not path.name.endswith(".in.yaml")}
    assert outputs == set(CASES)


def test_the_shop_is_large_and_hello_is_small() -> None:
    def objects(name: str) -> int:
        return Path(GOLDEN / f"{name}.yaml").read_text().count("apiVersion: ")

    assert objects("example-hello") == 3
    assert objects("example-shop") >= 20
