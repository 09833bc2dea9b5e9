"""A proxy that cuts connections where a test says."""

import socket
import threading
from contextlib import AbstractContextManager, suppress
from urllib.parse import urlsplit

_PIECE = 65536
_AND_SOME = b"\n\n\r\nb8\r\neve"
"""What of a next frame is let through, behind the end of the last one."""


class Proxy(AbstractContextManager["Proxy"]):
    """Takes one connection after another, and one request of each.

    ``events``: how many frames of an event stream it lets through before it cuts, in the middle of the next one.
    ``loses``: the first answers that it takes from the server and does not give on, of requests for this path.
    ``loses_first``: the same happens to the first answer of every path.
    """

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        self._server = (address.hostname, address.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._serving = [threading.Thread(target=self._serve)]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.events: int | None = None
        self.loses: list[str] = []
        self.loses_first = False
        self._asked: set[str] = set()
        self.streams = 0
        self.heard: list[dict[str, str]] = []
        """The headers of each request, by their names in lower case."""

    def __enter__(self) -> "Proxy":
        self._serving[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for thread in self._serving:
            thread.join()

    def close(self) -> None:
        """Answer nobody from now on."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass, args=(client,))
            self._serving.append(thread)
            thread.start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server, suppress(OSError):
            head = _request(client)
            path = head.split(b" ", 2)[1].decode()
            self.heard.append(_headers(head))
            server.sendall(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            is_stream = path.endswith("/events")
            self.streams += is_stream
            lost = path in self.loses or (self.loses_first and path not in self._asked)
            self._asked.add(path)
            if path in self.loses:
                self.loses.remove(path)
            seen = b""
            while piece := server.recv(_PIECE):
                if lost:
                    continue
                seen += piece
                if is_stream and self.events is not None and seen.count(b"\n\n") > self.events:
                    whole = len(b"\n\n".join(seen.split(b"\n\n")[: self.events + 1])) + len(_AND_SOME)
                    client.sendall(piece[: max(0, whole - (len(seen) - len(piece)))])
                    return
                client.sendall(piece)


def _headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _request(client: socket.socket) -> bytes:
    """A whole request, body included."""
    said = b""
    while b"\r\n\r\n" not in said:
        if not (piece := client.recv(_PIECE)):
            raise OSError("nothing was asked")
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += client.recv(_PIECE)
    return head + b"\r\n\r\n" + body
