"""The events of a task: the same bytes in the database and on the wire as in every version before."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.events import (
    MODELS,
    CleanupEvent,
    EndEvent,
    Event,
    JobEvent,
    ResourceEvent,
    TaskEvent,
    data_of,
    read_event,
)
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus

BEFORE: list[tuple[str, str, Event]] = [
    ("task", '{"status":"waiting"}', TaskEvent(status=TaskStatus.WAITING)),
    (
        "task",
        '{"status":"failed","reason":"no","cleanup":"pending"}',
        TaskEvent(status=TaskStatus.FAILED, reason="no", cleanup=Cleanup.PENDING),
    ),
    (
        "task",
        '{"status":"cancelled","reason":"","cancelledBy":"ada","cleanup":"none"}',
        TaskEvent(status=TaskStatus.CANCELLED, reason="", cancelled_by="ada", cleanup=Cleanup.NONE),
    ),
    (
        "job",
        '{"job":1,"status":"running","info":null,"error":null}',
        JobEvent(job=1, status=JobStatus.RUNNING),
    ),
    (
        "job",
        '{"job":2,"status":"completed","info":"2 of 2","error":null,"ready":0,"desired":2}',
        JobEvent(job=2, status=JobStatus.COMPLETED, info="2 of 2", ready=0, desired=2),
    ),
    (
        "resource",
        '{"seq":3,"kind":"ConfigMap","namespace":"default","name":"c","state":"kept","why":"\\u00e9"}',
        ResourceEvent(seq=3, kind="ConfigMap", namespace="default", name="c", state=ResourceState.KEPT, why="é"),
    ),
    (
        "job",
        '{"job":2,"step":"deploy","stage":0,"component":"","ref":"","status":"running","info":null,"error":null}',
        JobEvent(job=2, step="deploy", stage=0, component="", ref="", status=JobStatus.RUNNING),
    ),
    (
        "resource",
        '{"seq":3,"job":0,"purpose":"remove","kind":"Node","namespace":"","name":"c","state":"deleted","why":""}',
        ResourceEvent(
            seq=3,
            job=0,
            purpose=Purpose.REMOVE,
            kind="Node",
            namespace="",
            name="c",
            state=ResourceState.DELETED,
            why="",
        ),
    ),
    ("cleanup", '{"state":"running","why":""}', CleanupEvent(state=Cleanup.RUNNING)),
    ("end", '{"cleanup":"done"}', EndEvent(cleanup=Cleanup.DONE)),
]
"""Events as released versions wrote them."""


@pytest.mark.parametrize(("kind", "stored", "event"), BEFORE, ids=[stored for _, stored, _ in BEFORE])
def test_what_was_written_is_read_and_written_the_same(kind: str, stored: str, event: Event) -> None:
    assert json.dumps(data_of(event), separators=(",", ":")) == stored
    assert event.type == kind
    assert read_event(kind, json.loads(stored)) == event


def _any_event() -> st.SearchStrategy[Event]:
    text = st.text()
    return st.one_of(
        st.builds(TaskEvent, at=st.none(), reason=st.none() | text, cancelled_by=st.none() | text),
        st.builds(JobEvent, at=st.none(), info=st.none() | text, error=st.none() | text),
        st.builds(ResourceEvent, at=st.none(), why=text),
        st.builds(CleanupEvent, at=st.none(), why=text),
        st.builds(EndEvent, at=st.none()),
    )


@given(_any_event())
def test_what_is_written_is_read_again(event: Event) -> None:
    assert read_event(event.type, json.loads(json.dumps(data_of(event)))) == event


@pytest.mark.parametrize(("kind", "stored", "event"), BEFORE, ids=[stored for _, stored, _ in BEFORE])
def test_fields_of_a_later_version_are_passed_over(kind: str, stored: str, event: Event) -> None:
    assert read_event(kind, {**json.loads(stored), "later": [1], "type": "other"}) == event


@pytest.mark.parametrize(
    ("kind", "data"),
    [("later", {"status": "running"}), ("task", {"status": "paused"}), ("job", {"status": "running"}), ("end", {})],
)
def test_what_cannot_be_read_is_no_event_and_no_error(kind: str, data: dict[str, Any]) -> None:
    assert read_event(kind, data) is None


def test_a_lone_surrogate_does_not_get_into_a_stream() -> None:
    event = TaskEvent(status=TaskStatus.FAILED, reason="a\ud800b")
    assert data_of(event)["reason"] == "a\ufffdb"


def test_each_model_is_known_by_its_type() -> None:
    assert {kind for kind, _, _ in BEFORE} == MODELS.keys()
