"""Server-sent events, as a browser reads them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One event; ``id`` is the last one that the stream gave."""

    id: str
    type: str
    data: str


def server_sent_events(lines: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    """The events that have data; one that the end of the lines cuts off is none. Raises `ValueError`: no UTF-8."""
    last_id, kind, data = "", "message", list[str]()
    for line in lines:
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                last_id = value
            case "event":
                kind = value
            case "data":
                data.append(value)
            case "" if line.strip() == b"":
                if data:
                    yield ServerSentEvent(last_id, kind, "\n".join(data))
                kind, data = "message", []
