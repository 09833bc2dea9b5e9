"""The storage's log is a faithful history: any old state can be had from it, and replayed forward from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesim.jsondata import Object
from kubesim.storage import Expired, Key, Storage

KEYS: list[Key] = [(namespace, name) for namespace in ("a", "b") for name in ("x", "y", "z")]
OPERATIONS = st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), max_size=40)

State = list[tuple[Key, str]]


def run(operations: list[tuple[Key, bool]], history: int = 1000) -> tuple[Storage, dict[int, State]]:
    """Put (True) or remove (False) keys, and note the state at each revision."""
    storage = Storage(history=history)
    states: dict[int, State] = {storage.revision: []}
    for key, put in operations:
        if put:
            storage.put("things", key, {"metadata": {"name": key[1], "namespace": key[0]}})
        elif storage.shelf("things").find(*key) is not None:
            storage.remove("things", key)
        states[storage.revision] = versions(storage, storage.revision)
    return storage, states


def versions(storage: Storage, revision: int, namespace: str | None = None) -> State:
    return [
        (key, entry.obj["metadata"]["resourceVersion"])
        for key, entry in storage.shelf("things").items_at(revision, namespace)
    ]


@given(OPERATIONS)
def test_every_old_state_can_be_had(operations: list[tuple[Key, bool]]) -> None:
    storage, states = run(operations)
    for revision, state in states.items():
        assert versions(storage, revision) == state
        assert versions(storage, revision, "a") == [item for item in state if item[0][0] == "a"]


@given(OPERATIONS, st.integers(0, 40))
def test_events_after_a_revision_lead_from_its_state_to_the_last(
    operations: list[tuple[Key, bool]], start: int
) -> None:
    storage, states = run(operations)
    shelf = storage.shelf("things")
    revision = sorted(states)[start % len(states)]
    state = dict(states[revision])
    seen = revision
    for event in shelf.events_from(shelf.position_after(revision)):
        assert event.revision > seen
        if event.type != "DELETED":
            assert event.type == ("MODIFIED" if event.key in state else "ADDED")
        seen = event.revision
        if event.type == "DELETED":
            assert event.entry.obj["metadata"]["resourceVersion"] == str(event.revision)
            del state[event.key]
        else:
            state[event.key] = event.entry.obj["metadata"]["resourceVersion"]
    assert sorted(state.items()) == versions(storage, storage.revision)


@given(st.integers(1, 60))
def test_what_fell_out_of_the_log_is_expired_and_nothing_else(writes: int) -> None:
    storage, states = run([(("a", "x"), True)] * writes, history=10)
    shelf = storage.shelf("things")
    kept = 0
    for revision in states:
        try:
            shelf.position_after(revision)
        except Expired:
            assert kept == 0, "an older revision was still there"
        else:
            kept += 1
            assert versions(storage, revision) == states[revision]
    assert kept >= min(writes, 10)


def test_a_reader_that_fell_behind_is_told() -> None:
    storage, _ = run([(("a", "x"), True)] * 5, history=10)
    shelf = storage.shelf("things")
    position = shelf.position_after(2)
    for _ in range(40):
        storage.put("things", ("a", "x"), {"metadata": {"name": "x"}})
    with pytest.raises(Expired):
        shelf.events_from(position)


def test_subscribers_hear_type_object_and_what_was_before() -> None:
    storage = Storage()
    heard: list[tuple[str, str, str | None]] = []

    def hear(kind: str, obj: Object, old: Object | None) -> None:
        before = None if old is None else old["metadata"]["resourceVersion"]
        heard.append((kind, obj["metadata"]["resourceVersion"], before))

    storage.subscribe(hear)
    storage.put("things", ("a", "x"), {"metadata": {}})
    storage.put("things", ("a", "x"), {"metadata": {}})
    storage.remove("things", ("a", "x"))
    assert heard == [("ADDED", "2", None), ("MODIFIED", "3", "2"), ("DELETED", "4", "3")]


def test_a_stored_object_is_not_changed_by_its_removal() -> None:
    storage = Storage()
    first = storage.put("things", ("a", "x"), {"metadata": {}})
    storage.remove("things", ("a", "x"))
    last = storage.shelf("things").events_from(0)[-1]
    assert first.obj["metadata"]["resourceVersion"] == "2"
    assert last.entry.obj["metadata"]["resourceVersion"] == "3"
    assert last.old is first
