"""The JSON Schema of the format: what an editor takes and refuses is what the reader takes and refuses."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta

from kubemin.spec.application import parse_application
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.schema import schema_text
from kubemin.spec.wording import field_path
from tests.docs.markdown import ROOT
from tests.docs.reference.application_schema import FILE, application_schema
from tests.docs.test_examples import EXAMPLES, application
from tests.render.cases import LIMITS
from tests.spec.strategies import application_data

SCHEMA: dict[str, Any] = json.loads(schema_text())
MODELS: dict[str, Any] = {"Application": SCHEMA, **SCHEMA["$defs"]}
VALUES: tuple[Any, ...] = (-1, 0, 2**31, 1.5, True, "no such word!", ["x"], [3], {"zzz": 1})
Path = tuple[str | int, ...]


def test_it_is_made_of_the_models() -> None:
    expected = json.dumps(application_schema(), indent=2, ensure_ascii=False) + "\n"
    assert FILE.read_text(encoding="utf-8") == expected, "run `make reference`"


def test_it_is_a_schema_of_the_draft_and_asks_nothing_of_a_host() -> None:
    meta.validate(SCHEMA)
    assert SCHEMA["$id"].startswith("urn:")
    references = {one["$ref"] for one in _objects(SCHEMA) if "$ref" in one}
    assert references <= {f"#/$defs/{name}" for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_each_field_says_what_it_means(name: str) -> None:
    assert MODELS[name]["description"]
    for field, schema in MODELS[name].get("properties", {}).items():
        assert len(schema.get("description", "")) > 3, f"{name}.{field}"


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("**/*.yaml")), ids=lambda path: path.stem)
def test_examples_are_taken(file: Any) -> None:
    for data in yaml.safe_load_all(file.read_text()):
        if "component" in data:
            assert not refused(data)


def test_what_the_documents_and_the_golden_cases_show_is_taken() -> None:
    for data in applications():
        assert not refused(data), data


@given(application_data())
def test_applications_are_taken(data: dict[str, Any]) -> None:
    assert not refused(given_only(data))


def test_an_expression_of_the_command_line_is_taken_where_a_name_is_expected() -> None:
    part = {"name": "a-${{ env.X }}", "type": "webservice", "image": "web:${{ env.TAG }}"}
    assert not refused({"name": "shop-${{ env.BRANCH }}", "component": [part]})


@given(st.data())
def test_it_refuses_what_the_reader_refuses(data: st.DataObject) -> None:
    agree(data.draw(st.sampled_from(places())), data.draw(st.sampled_from(VALUES)))


@pytest.mark.proof
def test_it_refuses_what_the_reader_refuses_everywhere() -> None:
    for place in places():
        for value in VALUES:
            agree(place, value)


def agree(place: tuple[int, Path], value: Any) -> None:
    """Whether both say the same of one field with another value, as far as it is about its shape."""
    number, path = place
    data = copy.deepcopy(applications()[number])
    *above, last = path
    here: Any = data
    for key in above:
        here = here[key]
    here[last] = value
    found = mistakes(data)
    issues = [one for one in found if is_at(one.field, field_path(path))]
    by_schema = any(is_at(field_path(one), field_path(path)) or one == path[: len(one)] for one in refused(data))
    told = f"{field_path(path)} = {value!r}: {issues}"
    if by_schema:  # what is wrong with the word of a strategy is said of the strategy
        assert issues or any(one.field == field_path(above) for one in found), told
    elif any(map(is_about_shape, issues)):
        raise AssertionError(told)


def is_about_shape(issue: Issue) -> bool:
    of_type = " must be a" in issue.message or " must be t" in issue.message
    of_words = bool(issue.allowed) and issue.code != IssueCode.COMPONENT_NOT_FOUND
    return of_type or of_words or issue.code == IssueCode.UNKNOWN_FIELD or "between" in issue.message


def is_at(field: str, place: str) -> bool:
    return field.startswith(place) and field[len(place) : len(place) + 1] in ("", ".", "[")


def mistakes(data: dict[str, Any]) -> list[Issue]:
    try:
        parse_application(data, LIMITS)
    except SpecError as error:
        return list(error.issues)
    return []


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(SCHEMA)


def refused(data: dict[str, Any]) -> list[Path]:
    """Where the schema refuses something; the name of a field that it does not know is part of that."""
    found: list[Path] = []
    for error in validator().iter_errors(data):
        path = tuple(error.instance_path)
        names = getattr(error.kind, "unexpected", ())
        found += [(*path, name) for name in names] or [path]
    return found  # what fits none of several shapes is refused as a whole


@cache
def applications() -> list[dict[str, Any]]:
    """Those of the documents and of the golden cases, in the spelling that is offered."""
    found = [read for block in EXAMPLES if (read := application(block)) is not None]
    golden = (ROOT / "tests" / "render" / "golden").glob("*.in.yaml")
    found += [parse_application(yaml.safe_load(file.read_text()), LIMITS) for file in sorted(golden)]
    return [one.posted() for one in found]


@cache
def places() -> list[tuple[int, Path]]:
    """Each field of each model that is given somewhere, once."""
    known: dict[tuple[str, str], tuple[int, Path]] = {}

    def walk(number: int, value: Any, schema: dict[str, Any], path: Path) -> None:
        for one in schema.get("anyOf", ()):
            walk(number, value, one, path)
        name = schema.get("$ref", "").rpartition("/")[2]
        if isinstance(value, list):
            for index, item in enumerate(value):
                walk(number, item, schema.get("items", {}), (*path, index))
        elif isinstance(value, dict) and (name in MODELS or schema is SCHEMA):
            for field, below in MODELS[name or "Application"].get("properties", {}).items():
                if field in value:
                    known.setdefault((name, field), (number, (*path, field)))
                    walk(number, value[field], below, (*path, field))
            known.setdefault((name, ""), (number, (*path, "zzz")))

    for number, data in enumerate(applications()):
        walk(number, data, SCHEMA, ())
    return list(known.values())


def given_only(value: Any) -> Any:
    """Without ``null``, which means that a field is not given."""
    if isinstance(value, list):
        return [given_only(item) for item in value]
    if isinstance(value, dict):
        return {key: given_only(item) for key, item in value.items() if item is not None}
    return value


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)
