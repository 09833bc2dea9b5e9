"""The text of tokens: only the one that was given is one."""

import re

from hypothesis import given
from hypothesis import strategies as st

from kubemin.identity.token_text import looks_like_one, new_token, read_token


def test_a_token_is_read_as_it_was_made() -> None:
    token = new_token()
    assert re.fullmatch(r"kubemin_[0-9a-z]{12}_[0-9A-Za-z]{49}", token.text)
    assert read_token(token.text) == token
    assert looks_like_one(token.text)
    assert token.is_of(token.digest)
    assert token.secret not in token.digest


def test_tokens_differ() -> None:
    assert len({new_token().text for _ in range(50)}) == len({new_token().id for _ in range(50)}) == 50


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_one_other_character_makes_it_no_token(place: int, character: str) -> None:
    text = new_token().text
    at = place % len(text)
    changed = text[:at] + character + text[at + 1 :]
    assert changed == text or read_token(changed) is None


@given(st.text())
def test_other_text_is_no_token(text: str) -> None:
    assert read_token(text) is None
    assert read_token(f"kubemin_{text}") is None
