"""Any text comes back under any order of keys; what was changed, moved or sealed with another key does not open."""

import base64
import secrets
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemin.sealing.errors import BadKeys, DoesNotOpen, MissingKey, SealingError
from kubemin.sealing.form import key_id_of
from kubemin.sealing.keys import generate, parse
from kubemin.sealing.sealer import Sealer
from kubemin.sealing.sources import keys_from, sealer_from

IDS = ("a", "2026-11", "b.c_d")
KEYS = {key_id: secrets.token_bytes(32) for key_id in IDS}
texts = st.text(st.characters(codec=None), max_size=200)
orders = st.lists(st.permutations(IDS), min_size=1, max_size=4)


def sealer(*ids: str) -> Sealer:
    return Sealer({key_id: KEYS[key_id] for key_id in ids})


@given(texts, texts, orders)
def test_a_text_comes_back_whichever_key_seals_and_however_often(text: str, place: str, turns: list[list[str]]) -> None:
    stored = None
    for order in turns:
        one = sealer(*order)
        if stored is not None:
            assert one.unseal(stored, place) == text
        stored = one.seal(text, place)
        assert key_id_of(stored) == order[0]
        assert stored != one.seal(text, place)


@given(st.data())
def test_no_byte_may_change(data: st.DataObject) -> None:
    stored = sealer("a", "2026-11").seal(data.draw(texts), "tasks.plan/x")
    at = data.draw(st.integers(0, len(stored) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda letter: letter != stored[at]))
    changed = stored[:at] + other + stored[at + 1 :]
    with pytest.raises(SealingError):
        sealer("a", "2026-11").unseal(changed, "tasks.plan/x")


@pytest.mark.parametrize("cut", ["end", "begin", "more", "again"])
def test_nothing_may_be_cut_off_or_added(cut: str) -> None:
    stored = sealer("a").seal("text", "p")
    changed = {"end": stored[:-4], "begin": "s1:a:" + stored[9:], "more": stored + "AAAA", "again": "s1:a:"}[cut]
    with pytest.raises(DoesNotOpen):
        sealer("a").unseal(changed, "p")


@given(texts, texts)
def test_it_opens_in_its_own_place_only(place: str, other: str) -> None:
    stored = sealer("a").seal("text", place)
    if place != other:
        with pytest.raises(DoesNotOpen):
            sealer("a").unseal(stored, other)


def test_another_key_of_the_same_id_and_a_missing_one_are_told_apart() -> None:
    stored = sealer("a").seal("text", "p")
    with pytest.raises(DoesNotOpen, match='"a"'):
        Sealer({"a": secrets.token_bytes(32)}).unseal(stored, "p")
    with pytest.raises(MissingKey, match='"a"'):
        sealer("2026-11").unseal(stored, "p")


def line(key_id: str = "a", key: bytes = KEYS["a"]) -> str:
    return f"{key_id}={base64.b64encode(key).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a=",
        "a=short",
        line(key=b"1" * 31),
        line(key=bytes(32)),
        line("A"),
        line("a:b"),
        line("a" * 33),
        f"{line()},{line()}",
        "# nothing",
    ],
    ids=lambda _: "text",  # two of them are drawn in each process
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(BadKeys, match=r"^HERE: ") as error:
        parse(text, "HERE")
    assert base64.b64encode(KEYS["a"]).decode() not in str(error.value)


def test_keys_are_lines_or_separated_by_commas_and_have_comments() -> None:
    found = parse(f"# new\n{line('b.c_d', KEYS['b.c_d'])},{line()}\n\n{line('2026-11', KEYS['2026-11'])} # old\n", "x")
    assert list(found.items()) == [(key_id, KEYS[key_id]) for key_id in ("b.c_d", "a", "2026-11")]
    assert list(parse(generate("mine"), "x")) == ["mine"]
    with pytest.raises(BadKeys):
        generate("Not an id")


def test_a_file_that_others_may_read_or_change_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(line())
    for mode, fine in ((0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o620, False), (0o602, False)):
        file.chmod(mode)
        if fine:
            assert keys_from(file=str(file)) == {"a": KEYS["a"]}
        else:
            with pytest.raises(BadKeys, match="others"):
                keys_from(file=str(file))
    with pytest.raises(BadKeys, match="cannot be read"):
        keys_from(file=str(tmp_path / "none"))


def test_a_program_prints_keys_and_what_it_does_wrong_is_told(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(line())
    assert keys_from(command=f"cat '{file}'") == {"a": KEYS["a"]}
    for command, said in (
        (f"cat {tmp_path}/none", "exit code 1: .*No such file"),
        ("sleep 60", r"within 0\.3 s"),
        (f"{tmp_path}/none", "cannot be run"),
        ("echo", "no key"),
        ("echo 'a", "quotation"),
    ):
        with pytest.raises(BadKeys, match=said):
            keys_from(command=command, seconds=0.3 if "sleep" in command else 30)


def test_keys_come_from_one_place_and_none_means_no_sealing() -> None:
    assert sealer_from() is None
    with pytest.raises(BadKeys, match="KUBEMIN_ENCRYPTION_KEYS and KUBEMIN_ENCRYPTION_KEY_COMMAND"):
        keys_from(text=line(), command="cat")


@settings(max_examples=20)
@given(texts)
def test_a_sealed_text_is_ascii_and_larger_by_a_third_and_little_more(text: str) -> None:
    stored = sealer("a").seal(text, "p")
    assert stored.isascii()
    assert len(stored) <= len("s1:a:") + (len(text.encode("utf-8", "surrogatepass")) + 24 + 16 + 2) * 4 / 3 + 4
