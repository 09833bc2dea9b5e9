"""Whoever changes, deletes, inserts, moves or cuts off rows is found out, and the first row is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.audit import (
    BEGINNING,
    FIELDS,
    PRUNED,
    Broken,
    Checkpoint,
    Flaw,
    KeyMissing,
    Walk,
    hash_of,
    key_id,
    verify,
)

KEY, OTHER = "k" * 32, "o" * 32
Row = dict[str, Any]


def row(seq: int, previous: str, key: str | None, **said: Any) -> Row:
    made = dict.fromkeys(FIELDS - {"seq", "status", "code", "hash"}, "")
    made |= {"caller": f"user-{seq}", "time": f"2026-11-30T12:00:{seq % 60:02}.000000Z", "operation": "apply"}
    made |= {"seq": seq, "status": 200, "code": 0, "previous": previous, "key": key_id(key), **said}  # type: ignore[dict-item]
    return {**made, "hash": hash_of(made, key)}


def chain(length: int, key: str | None = None, after: Checkpoint = BEGINNING) -> list[Row]:
    rows: list[Row] = []
    for _ in range(length):
        rows.append(row(after.seq + 1, after.hash, key))
        after = Checkpoint(rows[-1]["seq"], rows[-1]["hash"])
    return rows


def place(one: Row) -> Checkpoint:
    return Checkpoint(one["seq"], one["hash"])


KEYS = st.sampled_from([None, KEY])
LENGTHS = st.integers(2, 12)


@given(LENGTHS, KEYS, st.data())
def test_a_chain_fits_from_each_checkpoint_on(length: int, key: str | None, data: st.DataObject) -> None:
    rows, keys = chain(length, key), [key] if key else []
    assert verify(rows, keys, head=place(rows[-1])).rows == length
    kept = data.draw(st.sampled_from(rows))
    assert verify(rows, keys, place(kept)).last == place(rows[-1])
    assert verify(rows[kept["seq"] - 1 :], keys, place(kept)).rows == length - kept["seq"] + 1
    assert verify(rows, keys, BEGINNING).rows == length


CHANGES: st.SearchStrategy[Any] = st.one_of(st.text(max_size=5), st.integers(0, 600), st.none(), st.booleans())


@given(LENGTHS, KEYS, st.sampled_from(sorted(FIELDS)), CHANGES, st.data())
def test_a_changed_field_is_found(length: int, key: str | None, name: str, value: Any, data: st.DataObject) -> None:
    rows, keys = chain(length, key), [key] if key else []
    at = data.draw(st.integers(0, length - 1))
    if rows[at][name] == value and type(rows[at][name]) is type(value):
        return
    rows[at] = {**rows[at], name: value}
    with pytest.raises((Broken, KeyMissing)) as found:
        verify(rows, keys)
    if isinstance(found.value, Broken):
        # A number is also a place: then what is missing is named.
        assert found.value.seq == at + 1 or name == "seq"


@given(LENGTHS, KEYS, st.data())
def test_whoever_makes_hashes_that_fit_breaks_the_link(length: int, key: str | None, data: st.DataObject) -> None:
    """Without a key anybody can: then only rows behind, and checkpoints, tell."""
    rows = chain(length, key)
    at = data.draw(st.integers(0, length - 2))
    changed = {**rows[at], "caller": "somebody else"}
    rows[at] = {**changed, "hash": hash_of(changed, None), "key": rows[at]["key"]}
    with pytest.raises(Broken) as found:
        verify(rows, [key] if key else [])
    assert found.value.seq == (at + 1 if key else at + 2)


def test_a_forged_chain_is_told_by_its_key_or_by_a_checkpoint() -> None:
    honest, forged = chain(5, KEY), chain(5)
    with pytest.raises(Broken) as found:
        verify(forged, [KEY])
    assert (found.value.seq, found.value.flaw) == (1, Flaw.OTHER_KEY)
    assert verify(honest, [OTHER, KEY]).rows == 5
    with pytest.raises(KeyMissing):
        verify(honest)
    open_chain = chain(5)
    open_chain[2] = row(3, open_chain[1]["hash"], None, caller="eve")
    rest = chain(2, None, place(open_chain[2]))
    assert verify([*open_chain[:3], *rest]).rows == 5
    with pytest.raises(Broken) as found:
        verify([*open_chain[:3], *rest], (), place(chain(5)[3]))
    assert (found.value.seq, found.value.flaw) == (4, Flaw.NOT_CHECKPOINT)


@given(LENGTHS, KEYS, st.data())
def test_a_row_that_is_gone_is_named(length: int, key: str | None, data: st.DataObject) -> None:
    rows, keys = chain(length, key), [key] if key else []
    gone = rows.pop(data.draw(st.integers(0, length - 1)))
    kept = data.draw(st.sampled_from(rows))
    assert_broken(lambda: verify(rows, keys, head=place(gone) if gone["seq"] == length else None), gone["seq"])
    if gone["seq"] > kept["seq"] and gone["seq"] < length:
        assert_broken(lambda: verify(rows, keys, place(kept)), gone["seq"])


def assert_broken(act: Callable[[], object], seq: int) -> None:
    with pytest.raises(Broken) as found:
        act()
    assert found.value.seq == seq
    assert str(found.value)


@given(LENGTHS, KEYS, st.data())
def test_cut_off_at_either_end(length: int, key: str | None, data: st.DataObject) -> None:
    rows, keys = chain(length, key), [key] if key else []
    cut = data.draw(st.integers(1, length - 1))
    assert verify(rows[:cut], keys).rows == cut  # nobody kept anything that would tell
    for late in rows[cut:]:
        assert_broken(lambda late=late: verify(rows[:cut], keys, place(late)), late["seq"])  # type: ignore[misc]
    assert_broken(lambda: verify(rows[:cut], keys, head=place(rows[-1])), cut + 1)
    assert_broken(lambda: verify(rows[cut:], keys), 1)
    assert_broken(lambda: verify(rows[cut:], keys, place(rows[cut - 1])), cut)
    assert_broken(lambda: verify([], keys, place(rows[0])), 1)


@given(LENGTHS, KEYS, st.data())
def test_rows_in_another_order_and_twice(length: int, key: str | None, data: st.DataObject) -> None:
    rows, keys = chain(length, key), [key] if key else []
    others = data.draw(st.permutations(rows))
    if others != rows:
        with pytest.raises(Broken):
            verify(others, keys)
    at = data.draw(st.integers(0, length - 1))
    with pytest.raises(Broken) as found:
        verify([*rows[: at + 1], rows[at], *rows[at + 1 :]], keys)
    assert (found.value.seq, found.value.flaw) == (at + 1, Flaw.MISPLACED)
    inserted = row(at + 1, rows[at]["previous"], key, caller="eve")
    with pytest.raises(Broken):
        verify([*rows[:at], inserted, *rows[at:]], keys)


@given(st.integers(3, 10), KEYS, st.data())
def test_what_was_pruned_is_said_by_a_row(length: int, key: str | None, data: st.DataObject) -> None:
    rows, keys = chain(length, key), [key] if key else []
    through = rows[data.draw(st.integers(0, length - 1))]
    said = row(length + 1, rows[-1]["hash"], key, operation=PRUNED, target=str(place(through)))
    left = [*rows[through["seq"] :], said]
    assert verify(left, keys).rows == len(left)
    assert verify([*left, *chain(2, key, place(said))], keys).rows == len(left) + 2
    if len(left) > 1:
        assert_broken(lambda: verify(left[1:], keys), 1)  # more are gone than it says
    assert_broken(lambda: verify(left[:-1] or chain(1, key, place(through)), keys), 1)


@pytest.mark.parametrize("wrong", [None, [], "x", {}, {"seq": "1"}, {"seq": True}, {"seq": 1}])
def test_what_is_no_row(wrong: Any) -> None:
    assert_broken(lambda: Walk().take(wrong), 1)


@pytest.mark.parametrize("text", ["", "1", "1:", ":" + "0" * 64, "-1:" + "0" * 64, "1:" + "G" * 64, "1:" + "0" * 63])
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(ValueError, match="a checkpoint is"):
        Checkpoint.parse(text)


def test_the_canonical_form_never_changes() -> None:
    """Rows of years ago are to be verified."""
    said = row(1, BEGINNING.hash, None, caller="Zoë\u202e")
    assert said["hash"] == "a925935c5eeb33d96ecf5de67d1f7239b10e4979fb23b39f52b86692d319af9d"
    assert json.loads(json.dumps(said)) == said
    assert Checkpoint.parse(str(place(said))) == place(said)
