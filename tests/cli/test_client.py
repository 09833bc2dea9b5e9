"""What the commands make of what a server sends."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemin.cli.client import Client
from kubemin.cli.exits import CliError
from kubemin.spec.events import CleanupEvent
from kubemin.spec.states import Cleanup

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@contextmanager
def _answering(body: bytes, kind: str = "text/event-stream") -> Iterator[Client]:
    """A client of a server that gives this one answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + body)

        serving = threading.Thread(target=answer)
        serving.start()
        with Client(f"http://127.0.0.1:{listener.getsockname()[1]}", None) as client:
            yield client
        serving.join()


@settings(max_examples=30)
@given(st.lists(TEXT, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_events_arrive_as_they_were_sent(sent: list[str], end: str) -> None:
    """Whatever the text holds: only CR and LF end a line of the stream, not U+2028 and its like."""
    frames = [f"retry: 2000{end}{end}: heartbeat{end}{end}"]
    for number, why in enumerate(sent, 1):
        data = json.dumps({"state": "running", "why": why}, ensure_ascii=False)
        frames.append(f"event: cleanup{end}data: {data}{end}id: {number}{end}{end}")
    with _answering("".join(frames).encode()) as client:
        found = list(client.events("t"))
    assert found == [(number, CleanupEvent(state=Cleanup.RUNNING, why=why)) for number, why in enumerate(sent, 1)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"<html>", "text/html"), (b"id: 1\ndata: hush\n\n", "text/event-stream"), (b"data: {}\n\n", "text/event-stream")],
)
def test_another_server_is_said_not_to_be_ours(body: bytes, kind: str) -> None:
    with _answering(body, kind) as client, pytest.raises(CliError, match="is not KubeMin"):
        list(client.events("t"))
