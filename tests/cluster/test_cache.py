"""The cache against a plain dict, and lines however they are cut."""

from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubemin.cluster.cache import Cache, has_reached
from kubemin.cluster.watching import Changed, split_lines
from kubemin.spec.labels import APP_ID, COMPONENT_ID
from kubemin.spec.objects import Manifest

from .apiserver import thing

names = st.sampled_from(["a", "b", "c"])
namespaces = st.sampled_from(["n", "m"])
components = st.sampled_from(["", "x", "y"])
steps = st.lists(
    st.tuples(st.sampled_from(["ADDED", "MODIFIED", "DELETED", "list"]), namespaces, names, components), max_size=30
)


def key_of(item: Manifest) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]


@given(steps)
def test_the_cache_holds_what_was_told(steps: list[tuple[Any, str, str, str]]) -> None:
    cache = Cache("ConfigMap")
    model: dict[tuple[str, str], Manifest] = {}
    for version, (what, namespace, name, component) in enumerate(steps, start=1):
        item = thing(name, version, component=component, namespace=namespace)
        before = dict(model)
        if what == "list":
            model = {key: found for key, found in model.items() if key[0] != namespace} | {key_of(item): item}
            changes = cache.replace(list(model.values()), str(version))
        else:
            if what == "DELETED":
                model.pop(key_of(item), None)
            else:
                model[key_of(item)] = item
            changes = [cache.change(Changed(what, item, str(version)))]
        told = {key_of(new or old or {}) for old, new in changes}
        assert {key for key in before.keys() | model.keys() if before.get(key) != model.get(key)} <= told
        assert cache.version == str(version)
        for place in ("n", "m"):
            for labels in ({}, {COMPONENT_ID: "x"}, {APP_ID: "app", COMPONENT_ID: "y"}):
                expected = [
                    found["metadata"]["resourceVersion"]
                    for (where, _), found in sorted(model.items())
                    if where == place and labels.items() <= found["metadata"]["labels"].items()
                ]
                assert [each["metadata"]["resourceVersion"] for each in cache.select(place, labels)] == expected
            for each in "abc":
                found, wanted = cache.get(place, each), model.get((place, each))
                assert (found and found["metadata"]) == (wanted and wanted["metadata"])


@given(st.lists(st.binary(min_size=1).map(lambda line: line.replace(b"\n", b" "))), st.data())
async def test_lines_are_whole_however_the_stream_is_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines) + b"cut off"
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)))))

    async def chunks() -> AsyncIterator[bytes]:
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            yield whole[start:end]

    assert [line async for line in split_lines(chunks())] == lines


def test_versions_compare_as_numbers() -> None:
    assert has_reached("10", "9")
    assert not has_reached("9", "10")
    assert has_reached("9", None)
    assert has_reached("opaque", "9")
