"""Expressions, and the library that reads them."""

from kubemin.spec.cel import compiled
from kubesim.custom.rules import are_followed


def test_the_library_is_shared_with_a_simulated_cluster_in_the_process() -> None:
    """It panics where it is loaded a second time."""
    assert are_followed()
    assert compiled("object.x > 1").execute({"object": {"x": 2}}) is True
