"""Protobuf bodies are read field by field, or refused: nothing in them is lost."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesim.problems import Problem
from kubesim.protobuf import _MESSAGES, MEDIA_TYPE, decode

from .conftest import Api

KINDS = sorted(name for name, fields in _MESSAGES.items() if any(field.name == "metadata" for field in fields.values()))


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def envelope(kind: str, body: bytes, version: str = "v1") -> bytes:
    return b"k8s\x00" + field(1, field(1, version.encode()) + field(2, kind.encode())) + field(2, body)


@st.composite
def scalars(draw: st.DrawFn, kind: str) -> tuple[int | bytes, Any]:
    """How a value goes over the wire, and what it is in JSON."""
    text = draw(st.text(max_size=5))
    if kind == "s":
        return text.encode(), text
    if kind == "i":
        number = draw(st.integers(-(1 << 63), (1 << 63) - 1))
        return number, number
    if kind == "b":
        truth = draw(st.booleans())
        return int(truth), truth
    if kind == "y":
        return text.encode(), base64.b64encode(text.encode()).decode()
    if kind == "T":
        return field(1, 1_700_000_000) + field(2, 0), "2023-11-14T22:13:20Z"
    if kind == "Q":
        return field(1, text.encode()), text
    if kind == "I":
        if draw(st.booleans()):
            return field(1, 1) + field(3, text.encode()), text
        return field(1, 0) + field(2, 80), 80
    return draw(messages(kind))


@st.composite
def messages(draw: st.DrawFn, name: str) -> tuple[bytes, dict[str, Any]]:
    """A message with some of its fields."""
    wire = b""
    json: dict[str, Any] = {}
    for number, known in _MESSAGES[name].items():
        if draw(st.integers(0, 2)):
            continue
        if known.type == "-":
            wire += field(number, b"whatever")
        elif known.mapped:
            items = draw(st.dictionaries(st.text(max_size=3), scalars(known.type), min_size=1, max_size=2))
            for key, (raw, _) in items.items():
                wire += field(number, field(1, key.encode()) + field(2, raw))
            json[known.name] = {key: value for key, (_, value) in items.items()}
        elif known.repeated:
            values = draw(st.lists(scalars(known.type), min_size=1, max_size=2))
            wire += b"".join(field(number, raw) for raw, _ in values)
            json[known.name] = [value for _, value in values]
        else:
            raw, value = draw(scalars(known.type))
            wire += field(number, raw)
            json |= value if known.inlined else {known.name: value}
    return wire, json


@given(st.data(), st.sampled_from(KINDS))
def test_what_is_written_is_read(data: st.DataObject, kind: str) -> None:
    wire, json = data.draw(messages(kind))
    assert decode(envelope(kind, wire)) == {"kind": kind, "apiVersion": "v1", **json}


@given(st.binary(max_size=40), st.sampled_from(KINDS))
def test_noise_is_refused_or_read(noise: bytes, kind: str) -> None:
    for body in (noise, b"k8s\x00" + noise, envelope(kind, noise)):
        try:
            found = decode(body)
        except Problem as problem:
            assert problem.reason in ("BadRequest", "UnsupportedMediaType")  # noqa: PT017 - either outcome is right
        else:
            assert found["kind"] in KINDS


@pytest.mark.parametrize(
    "body",
    [
        envelope("Chart", b""),
        envelope("ConfigMap", field(99, b"lost?")),
        envelope("ConfigMap", field(99, 1)),
    ],
)
def test_what_is_not_known_is_refused_and_not_lost(body: bytes) -> None:
    with pytest.raises(Problem, match="send JSON") as refused:
        decode(body)
    assert refused.value.code == 415


async def test_a_typed_client_creates_and_is_answered_in_json(api: Api) -> None:
    meta = field(1, b"a") + field(3, b"") + field(7, 0) + field(8, b"")
    body = envelope("ConfigMap", field(1, meta) + field(2, field(1, b"key") + field(2, b"value")))
    answer = await api.call(
        "POST",
        "/api/v1/namespaces/default/configmaps",
        body,
        content_type=MEDIA_TYPE,
        headers={"Accept": f"{MEDIA_TYPE},application/json"},
        fieldValidation="Strict",
    )
    assert (answer.status, answer.body["data"]) == (201, {"key": "value"})
    assert "generation" not in answer.body["metadata"]
    json = await api.call("POST", "/api/v1/namespaces/default/configmaps", "{}", content_type=MEDIA_TYPE)
    assert (json.status, json.body["reason"]) == (400, "BadRequest")
