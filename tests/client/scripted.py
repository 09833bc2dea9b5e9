"""A server that says what a test has written down, connection by connection."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

TASK = {
    "taskId": "t",
    "appId": "a",
    "status": "running",
    "reason": "",
    "cleanup": {"state": "none", "remaining": [], "exceptions": []},
}


def envelope(data: Any) -> bytes:
    """A reply of the API."""
    return json.dumps({"code": 0, "message": "success", "data": data}).encode()


@contextmanager
def answering(streams: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    """A server with one running task, and one answer after another to whoever asks for its events."""
    left = list(streams)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    asked = connection.recv(65536).split(b" ")[1:2]
                    if asked and asked[0].endswith(b"/events") and left:
                        kind, body = left.pop(0)
                    else:
                        kind, body = "application/json", envelope(TASK)
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
                    connection.sendall(head.encode() + body)

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()
