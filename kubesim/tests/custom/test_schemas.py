"""What a schema does to an object, whatever schema and whatever object."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesim.admit.validation.causes import Causes
from kubesim.custom.ownership import struct_of
from kubesim.custom.schema_check import check_schema
from kubesim.custom.shaping import default, prune
from kubesim.custom.values import check_value
from kubesim.jsondata import copy_json
from kubesim.managed.walk import compare, declared

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x"])
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=2) | st.dictionaries(NAMES, below, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)

_LEAVES = st.one_of(
    st.builds(lambda value: {"type": "string", **value}, st.sampled_from([{}, {"default": "d"}, {"nullable": True}])),
    st.builds(lambda value: {"type": "integer", **value}, st.sampled_from([{}, {"default": 1}, {"maximum": 2}])),
    st.just({"type": "boolean"}),
    st.just({"x-kubernetes-int-or-string": True}),
    st.just({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
)


def _deeper(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(NAMES, below, min_size=1, max_size=3)
    extras = st.sampled_from(
        [{}, {"default": {}}, {"nullable": True}, {"x-kubernetes-preserve-unknown-fields": True}, {"required": ["a"]}]
    )
    return st.one_of(
        st.builds(lambda properties, extra: {"type": "object", "properties": properties, **extra}, fields, extras),
        st.builds(lambda items: {"type": "array", "items": items}, below),
        st.builds(lambda items: {"type": "object", "additionalProperties": items}, below),
    )


SCHEMAS = st.builds(
    lambda properties: {"type": "object", "properties": properties},
    st.dictionaries(NAMES, st.recursive(_LEAVES, _deeper, max_leaves=6), min_size=1, max_size=3),
)


def shaped(schema: Any, obj: Any) -> Any:
    found = copy_json(obj)
    prune(found, schema)
    default(found, schema)
    return found


@given(SCHEMAS, OBJECTS)
def test_what_was_pruned_and_defaulted_once_stays_as_it_is(schema: Any, obj: Any) -> None:
    once = shaped(schema, obj)
    assert shaped(schema, once) == once
    assert prune(copy_json(once), schema) == []


@given(SCHEMAS, OBJECTS)
def test_pruning_takes_what_it_says_and_nothing_else(schema: Any, obj: Any) -> None:
    found = copy_json(obj)
    dropped = prune(found, schema)
    assert (found == obj) is (dropped == [])
    assert dropped == sorted(set(dropped))


@given(SCHEMAS, OBJECTS)
def test_what_a_valid_object_declares_is_its_own(schema: Any, obj: Any) -> None:
    """Every field that is set belongs to who sets it, and a change is owned no further than it goes."""
    obj = shaped(schema, obj)
    struct = struct_of("Thing", schema, status=False)
    causes = Causes()
    check_value(schema, obj, causes)
    if causes:
        return
    fields = declared(struct, obj) or {}
    assert {f"f:{key}" for key in obj} >= set(fields)
    assert compare(struct, {**obj, "metadata": {}}, {**obj, "metadata": {}}) == ({}, {})


@given(SCHEMAS, OBJECTS)
def test_a_value_that_stays_is_not_judged_again(schema: Any, obj: Any) -> None:
    causes = Causes()
    check_value(schema, obj, causes, old=copy_json(obj))
    assert not causes


@given(SCHEMAS)
def test_a_schema_that_declares_all_it_says_is_structural(schema: Any) -> None:
    causes = Causes()
    check_schema("schema", schema, causes, status=False)
    wrong = [text for _, _, text in causes.in_order()]
    # Only a default may be wrong: an empty object where a field is required.
    assert all("Required value" in text for text in wrong) or not wrong


@pytest.mark.parametrize(
    ("schema", "path", "text"),
    [
        ({"properties": {"a": {}}}, "s.properties[a].type", "Required value: must not be empty for specified object"),
        ({"properties": {"a": {"type": "array"}}}, "s.properties[a].items", "Required value: must be specified"),
        ({"additionalProperties": True}, "s.additionalProperties", "Forbidden: must not be used at the root"),
        ({"anyOf": [{"description": "x"}]}, "s.anyOf[0].description", "Forbidden: must be empty to be structural"),
        ({"oneOf": [{"properties": {"a": {}}}]}, "s.properties[a]", "Required value: because it is defined in s.oneOf"),
        ({"properties": {"a": {"$ref": "b"}}}, "s.properties[a].$ref", "Forbidden: $ref is not supported"),
        (
            {"properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}, "default": {"c": 1}}}},
            "s.properties[a].default",
            'Invalid value: {"c":1}: must not have unknown fields',
        ),
        (
            {"properties": {"a": {"type": "string", "x-kubernetes-list-type": "set"}}},
            "s.properties[a].type",
            'Invalid value: "string": must be array if x-kubernetes-list-type is specified',
        ),
    ],
)
def test_a_schema_that_is_not_structural_is_refused(schema: Any, path: str, text: str) -> None:
    causes = Causes()
    check_schema("s", {"type": "object", **schema}, causes, status=False)
    assert any(where == path and told.startswith(text) for where, _, told in causes.in_order()), causes.in_order()


STRING, NUMBER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (STRING, 1, ('a: Invalid value: "integer": a in body must be of type string: "integer"',)),
        (NUMBER, 1.0, ()),
        (NUMBER, True, ('a: Invalid value: "boolean": a in body must be of type integer: "boolean"',)),
        ({"type": "number"}, 1, ()),
        ({**STRING, "nullable": True}, None, ()),
        ({**STRING, "minLength": 2}, "x", ('a: Invalid value: "x": a in body should be at least 2 chars long',)),
        ({**STRING, "maxLength": 1}, "xy", ("a: Too long: may not be more than 1 bytes",)),
        ({**STRING, "pattern": "^x$"}, "x\n", ("a: Invalid value: \"x\\n\": a in body should match '^x$'",)),
        ({**STRING, "format": "ipv4"}, "no", ('a: Invalid value: "no": a in body must be of type ipv4: "no"',)),
        ({**STRING, "format": "date-time"}, "2026-01-31", ('a: Invalid value: "2026-01-31": a in body must be of',)),
        ({**STRING, "format": "date-time"}, "2026-01-31T10:00:00Z", ()),
        ({**STRING, "format": "unheard-of"}, "no", ()),
        ({**NUMBER, "maximum": 2}, 3, ("a: Invalid value: 3: a in body should be less than or equal to 2",)),
        ({**NUMBER, "minimum": 4, "exclusiveMinimum": True}, 4, ("a: Invalid value: 4: a in body should be greater",)),
        ({**NUMBER, "multipleOf": 5}, 7, ("a: Invalid value: 7: a in body should be a multiple of 5",)),
        ({**STRING, "enum": ["x", "y"]}, "z", ('a: Unsupported value: "z": supported values: "x", "y"',)),
        ({"type": "array", "minItems": 1}, [], ("a: Invalid value: 0: a in body should have at least 1 items",)),
        ({"type": "array", "items": STRING, "maxItems": 1}, ["x", "y"], ("a: Too many: 2: must have at most 1 items",)),
        ({"type": "array", "items": NUMBER}, ["x"], ('a[0]: Invalid value: "string": a[0] in body must be of type',)),
        ({"type": "object", "required": ["b"]}, {}, ("a.b: Required value",)),
        ({"type": "object", "minProperties": 1}, {}, ("a: Invalid value: 0: a in body should have at least 1 prop",)),
        (
            {**NUMBER, "oneOf": [{"minimum": 5}, {"maximum": 1}]},
            3,
            ('<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid', "a: "),
        ),
        ({**NUMBER, "anyOf": [{"minimum": 5}, {"maximum": 3}]}, 3, ()),
        ({**NUMBER, "not": {"minimum": 5}}, 7, ('<nil>: Invalid value: "": "a" must not validate the schema (not)',)),
        (
            {**NUMBER, "allOf": [{"minimum": 5}, {"maximum": 3}]},
            3,
            ("a: Invalid value: 3: a in body should be greater", '<nil>: Invalid value: "": "a" must validate all the'),
        ),
        ({"x-kubernetes-int-or-string": True}, "10%", ()),
        ({"x-kubernetes-int-or-string": True}, [], ('a: Invalid value: "array": a in body must be of type integer,',)),
    ],
)
def test_what_a_schema_refuses_is_told_in_the_servers_words(schema: Any, value: Any, told: tuple[str, ...]) -> None:
    causes = Causes()
    check_value({"type": "object", "properties": {"a": schema}}, {"a": value}, causes)
    found = [f"{path}: {text}" for path, _, text in causes.in_order()]
    assert len(found) == len(told), found
    assert all(any(line.startswith(start) for line in found) for start in told), found
