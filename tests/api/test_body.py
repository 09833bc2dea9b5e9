"""What counts as a body: everything that JSON can say and a database can keep, and nothing else."""

import json
import math
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.api.body import MAX_DEPTH, parse_json
from kubemin.api.envelope import ApiError
from kubemin.spec.reading import MAX_VALUES
from kubemin.spec.unread_manifests import MAX_MANIFEST_DEPTH, MAX_MANIFEST_VALUES

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)


@given(values)
def test_what_can_be_kept_comes_through(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_bytes_are_json_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except ApiError:
        return
    assert json.loads(body) == value


unkept = st.sampled_from(["a\0b", "\ud800", "x\udfffy", 2**63, -(2**64), math.nan, math.inf, -math.inf])
path = st.lists(st.integers(0, 3) | st.text("abc", min_size=1, max_size=3), max_size=MAX_DEPTH - 1)


@given(unkept, path)
def test_what_cannot_be_kept_is_named_wherever_it_is(bad: Any, where: list[int | str]) -> None:
    value, expected = bad, ""
    for step in reversed(where):
        value = [0] * step + [value] if isinstance(step, int) else {"other": 0, step: value}
    for step in where:
        expected += f"[{step}]" if isinstance(step, int) else f".{step}" if expected else step
    with pytest.raises(ApiError) as caught:
        parse_json(json.dumps(value).encode())
    assert caught.value.errors is not None
    if not isinstance(bad, float):  # which the parser itself refuses, without knowing where it is
        assert caught.value.errors[0].field == (expected or "body")


@pytest.mark.parametrize(("depth", "accepted"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (100_000, False)])
@pytest.mark.parametrize("brackets", [b"[]", b'{"a":'])
def test_nesting_has_an_end(depth: int, accepted: bool, brackets: bytes) -> None:
    opening, inner, closing = (b"[", b"[]", b"]") if brackets == b"[]" else (b'{"a":', b"{}", b"}")
    body = opening * (depth - 1) + inner + closing * (depth - 1)
    if accepted:
        parse_json(body)
    else:
        with pytest.raises(ApiError, match="deeper"):
            parse_json(body)


def test_messages_stay_short() -> None:
    key = "k" * 100_000
    with pytest.raises(ApiError) as caught:
        parse_json(json.dumps({key: "\0"}).encode())
    assert len(caught.value.message) < 400


def _application(**properties: Any) -> bytes:
    return json.dumps({"application": {"component": [{"properties": properties}]}}).encode()


def test_manifests_may_hold_more_than_all_else() -> None:
    """What big charts hold: definitions are deep, and there are many values in them."""
    deep: dict[str, Any] = {}
    for _ in range(MAX_MANIFEST_DEPTH):
        deep = {"properties": deep}
    large = [{"values": list(range(MAX_VALUES + 1))}, deep]
    parse_json(_application(manifests=large))
    for where in ("conf", "env"):
        with pytest.raises(ApiError, match="more than 50,000 values"):
            parse_json(_application(**{where: large[:1]}))
        with pytest.raises(ApiError, match="nested deeper than 64 levels"):
            parse_json(_application(**{where: deep}))
    with pytest.raises(ApiError, match="more than 500,000 values"):
        parse_json(_application(manifests=[list(range(MAX_MANIFEST_VALUES))]))
    with pytest.raises(ApiError, match="nested deeper than"):
        parse_json(_application(manifests={"properties": {"manifests": deep}} | {"a": _nested(300)}))


def _nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def test_a_long_name_costs_its_length_once() -> None:
    """Where a value is gets spelled for a refusal alone: each spelled place repeats the names above it."""
    name = "n" * 100_000
    body = json.dumps({name: ["é"] * 5000}, ensure_ascii=False).encode()
    tracemalloc.start()
    try:
        parse_json(body)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(ApiError) as caught:
        parse_json(json.dumps({name: ["a\0"]}).encode())
    assert len(str(caught.value)) < 1000
