"""Server-sent events, as a browser reads them."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Frame(NamedTuple):
    """One event; ``id`` is the last one that the stream gave."""

    id: str
    type: str
    data: str

    def read(self, *, numbered: bool) -> dict[str, Any]:
        """Its data, with its type, and its id where it is ``numbered``. Raises `ValueError`: no event of KubeMin's."""
        data = json.loads(self.data)
        if not isinstance(data, dict):
            raise ValueError("the data of an event is no object")
        return {"id": int(self.id), "type": self.type, **data} if numbered else {"type": self.type, **data}


class Frames:
    """Takes the bytes of a stream in, in pieces of any size. What the end of the stream cuts off is no event."""

    def __init__(self) -> None:
        self._rest = b""
        self._id, self._kind, self._data = "", "message", list[str]()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The events that have data and end in this piece. Only CR and LF end a line. Raises `ValueError`: no UTF-8."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if (frame := self._line(line.decode().removesuffix("\r"))) is not None:
                yield frame

    def _line(self, line: str) -> Frame | None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                self._id = value
            case "event":
                self._kind = value
            case "data":
                self._data.append(value)
            case "" if not line:
                frame = Frame(self._id, self._kind, "\n".join(self._data)) if self._data else None
                self._kind, self._data = "message", []
                return frame
        return None
