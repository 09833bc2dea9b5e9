"""What the client makes of the bytes that a server sends."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemin.client import Client, NotKubemin
from kubemin.client.sse import Frame, Frames
from tests.client.scripted import answering

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def frames(pieces: Sequence[bytes]) -> list[Frame]:
    reading = Frames()
    return [frame for piece in pieces for frame in reading.feed(piece)]


@settings(max_examples=30)
@given(st.lists(TEXT, max_size=4), st.sampled_from(["\n", "\r\n"]), st.data())
def test_events_arrive_as_they_were_sent(sent: list[str], end: str, data: st.DataObject) -> None:
    """Whatever the text holds, and however it is cut: only CR and LF end a line, not U+2028 and its like."""
    text = [f"retry: 2000{end}{end}: heartbeat{end}{end}"]
    for number, why in enumerate(sent, 1):
        said = json.dumps({"state": "running", "why": why}, ensure_ascii=False)
        text.append(f"event: cleanup{end}data: {said}{end}id: {number}{end}{end}")
    whole = "".join(text).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    found = frames([whole[begin:until] for begin, until in zip([0, *cuts], [*cuts, len(whole)], strict=True)])
    assert [frame.read(numbered=True) for frame in found] == [
        {"id": number, "type": "cleanup", "state": "running", "why": why} for number, why in enumerate(sent, 1)
    ]


@given(st.integers(0, 40))
def test_what_the_end_cuts_off_is_no_event(cut: int) -> None:
    whole = b"id: 1\ndata: {}\n\nid: 2\ndata: {}\n\n"
    assert len(frames([whole[:cut]])) == whole[:cut].count(b"\n\n")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "text/html"),
        (b"id: 1\ndata: hush\n\n", "text/event-stream"),
        (b"data: {}\n\n", "text/event-stream"),
        (b"id: 1\ndata: []\n\n", "text/event-stream"),
        (b"id: 1\ndata: \xff\n\n", "text/event-stream"),
    ],
)
def test_another_server_is_said_not_to_be_ours(body: bytes, kind: str) -> None:
    with answering([(kind, body)]) as url, pytest.raises(NotKubemin, match="is not KubeMin"):
        list(Client(url).events("t"))
