"""Errors by code: each code of the server is one class, and all that the server says survives."""

import json
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError, FieldError
from kubemin.client import (
    Busy,
    ClusterUnreachable,
    Conflict,
    Denied,
    Invalid,
    KubeminError,
    NotFound,
    NotKubemin,
    Refused,
    ServerFault,
    ServerLost,
    Unavailable,
)
from kubemin.client.errors import BY_CODE
from kubemin.client.steps import Answer, data_of

CODES = [code for code in ApiCode if code is not ApiCode.SUCCESS]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
BY_STATUS: dict[int, type[KubeminError]] = {
    400: Invalid,
    401: Denied,
    403: Denied,
    404: NotFound,
    408: Busy,
    409: Conflict,
    500: ServerFault,
    502: ServerFault,
    503: (Busy, ClusterUnreachable),  # type: ignore[dict-item]
}


def said(answer: Answer) -> KubeminError:
    """What the client makes of an answer."""
    with pytest.raises(KubeminError) as caught:
        data_of(answer, "http://server")
    return caught.value


def test_each_code_of_the_server_has_its_class() -> None:
    assert BY_CODE.keys() == set(CODES)


@given(
    st.sampled_from(CODES),
    st.integers(400, 599),
    TEXT,
    st.lists(st.tuples(TEXT, TEXT, TEXT)),
    st.none() | st.integers(0, 99),
)
def test_what_the_server_says_survives(
    code: ApiCode, status: int, message: str, fields: list[tuple[str, str, str]], seconds: int | None
) -> None:
    """By the server's own envelope."""
    errors = [FieldError(field=field, code=kind, message=text) for field, kind, text in fields]
    sent = ApiError(status, code, message, errors=errors).response()
    error = said(Answer(status, "application/json", None if seconds is None else str(seconds), bytes(sent.body)))
    assert type(error) is BY_CODE[code]
    assert (error.code, error.status, error.message, str(error)) == (code, status, message, message)
    assert list(error.fields) == [one.model_dump() for one in errors]
    assert error.retry_after == seconds


@given(st.integers(400, 599), st.integers(40_000, 50_000))
def test_a_code_of_a_later_server_is_told_by_its_status(status: int, code: int) -> None:
    body = json.dumps({"code": code, "message": "later", "data": None}).encode()
    error = said(Answer(status, "application/json", None, body))
    assert error.code == code
    assert isinstance(error, BY_STATUS.get(status, Invalid if status < 500 else KubeminError))
    assert isinstance(error, Unavailable) == (status in (408, 503))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_whose_server_is_away_is_a_lost_server(status: int) -> None:
    error = said(Answer(status, "text/html", None, b"<html>Bad Gateway"))
    assert isinstance(error, ServerLost)
    assert not isinstance(error, Refused)


@given(st.sampled_from([one.value for one in HTTPStatus if one not in (502, 503, 504)]), st.binary())
def test_what_is_no_envelope_is_not_ours(status: int, body: bytes) -> None:
    if b'"code"' not in body:
        assert isinstance(said(Answer(status, "text/plain", None, body)), NotKubemin)
