"""Any application: reading, writing, and never falling over."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemin.spec.application import Application, dump_steps, parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.workflow import parse_workflow

from .strategies import Json, application_data, applications

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def snake(data: Any, *, keys: bool = True) -> Any:
    """The same input in the other spelling; the keys of free maps are the user's, and stay."""
    if isinstance(data, list):
        return [snake(item) for item in data]
    if not isinstance(data, dict):
        return data
    free = {"env", "conf", "secret", "labels", "roleLabels", "annotations", "label"}
    free |= {"metrics", "behavior", "podSelector", "namespaceSelector", "ipBlock", "dataFrom"}  # as Kubernetes has them

    def turn(key: str) -> str:
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in key) if keys else key

    return {turn(key): value if key in free else snake(value) for key, value in data.items()}


@given(applications())
def test_what_is_written_is_read_again(application: Application) -> None:
    assert parse_application(json.loads(json.dumps(application.dump()))) == application


@given(applications())
def test_the_plain_pydantic_dump_is_input_too(application: Application) -> None:
    assert parse_application(application.model_dump(by_alias=True, mode="json")) == application


@given(application_data())
def test_snake_case_means_the_same(data: Json) -> None:
    assert parse_application(snake(data)) == parse_application(data)


@given(application_data())
def test_reading_leaves_the_input_alone(data: Json) -> None:
    before = json.dumps(data)
    parse_application(data)
    assert json.dumps(data) == before


@given(applications())
def test_a_workflow_is_written_and_read_again(application: Application) -> None:
    steps = application.steps()
    names = [component.name for component in application.component]
    assert parse_workflow(dump_steps(steps), names) == steps


@given(JSON)
def test_anything_is_read_or_refused(data: Any) -> None:
    with pytest.raises(SpecError) as caught:
        parse_application(data)
    assert caught.value.issues


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += _places(value, (*path, key))
    return found


@settings(max_examples=2 * settings().max_examples)
@given(application_data(max_components=4), st.data())
def test_one_broken_place_is_read_or_refused_by_name(data: Json, random: st.DataObject) -> None:
    path = random.draw(st.sampled_from(_places(data)))
    here: Any = data
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = random.draw(JSON)
    try:
        parse_application(data)
    except SpecError as error:
        for issue in error.issues:
            assert issue.message.endswith(".")
            assert issue.field or not isinstance(data, dict)
