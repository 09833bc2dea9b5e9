"""Sets of fields in their wire form behave as sets of paths."""

from hypothesis import given
from hypothesis import strategies as st

from kubesim.managed.conflicts import path_text
from kubesim.managed.sets import FieldSet, difference, has_path, intersection, paths, union

Path = tuple[str, ...]

PATHS = st.frozensets(
    st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":1}']), min_size=1, max_size=3).map(tuple), max_size=6
)


def tree(members: frozenset[Path]) -> FieldSet:
    """The wire form of a set of paths."""
    root: FieldSet = {}
    for path in sorted(members):
        node = root
        for key in path:
            node = node.setdefault(key, {})
    for path in members:
        node = root
        for key in path:
            node = node[key]
        if node:
            node["."] = {}
    return root


@given(PATHS)
def test_the_wire_form_tells_all_members(members: frozenset[Path]) -> None:
    fields = tree(members)
    assert set(paths(fields)) == members
    assert all(has_path(fields, *path) for path in members)
    assert not has_path(fields, "f:z")


@given(PATHS, PATHS)
def test_union_difference_and_intersection(left: frozenset[Path], right: frozenset[Path]) -> None:
    assert union(tree(left), tree(right)) == tree(left | right)
    assert difference(tree(left), tree(right)) == tree(left - right)
    assert intersection(tree(left), tree(right)) == tree(left & right)


@given(PATHS, PATHS)
def test_arguments_stay_as_they_are(left: frozenset[Path], right: frozenset[Path]) -> None:
    one, other = tree(left), tree(right)
    union(one, other)
    difference(one, other)
    intersection(one, other)
    assert (one, other) == (tree(left), tree(right))


def test_paths_as_people_read_them() -> None:
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:finalizers", 'v:"a/b"')
    assert path_text(path) == '.spec.ports[port=80,protocol="TCP"].finalizers[="a/b"]'
