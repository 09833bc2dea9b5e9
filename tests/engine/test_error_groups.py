"""What fails in tasks side by side is told as one error, whatever the version of Python."""

import ast
from pathlib import Path

import pytest

import kubemin
from kubemin.cluster.errors import ClusterError, Conflict, NotFound
from kubemin.engine.errors import without_group


def test_the_first_of_errors_that_are_all_of_a_kind_is_raised_alone() -> None:
    first = NotFound("gone")
    with pytest.raises(NotFound) as raised, without_group(ClusterError):
        raise ExceptionGroup("", [ExceptionGroup("", [first]), Conflict("changed")])
    assert raised.value is first


def test_an_error_of_another_kind_is_not_hidden() -> None:
    group = ExceptionGroup("", [NotFound("gone"), ValueError("a mistake of ours")])
    with pytest.raises(ExceptionGroup) as raised, without_group(ClusterError):
        raise group
    assert raised.value is group


def test_nobody_relies_on_what_early_versions_wrap_in_a_group_again() -> None:
    """Python 3.11.2, Debian 12's, does so with whatever is raised below ``except*``."""
    for path in Path(kubemin.__path__[0]).rglob("*.py"):
        raising = [
            node
            for clause in ast.walk(ast.parse(path.read_text()))
            if isinstance(clause, ast.TryStar)
            for node in ast.walk(clause)
            if isinstance(node, ast.Raise)
        ]
        assert raising == [], path
