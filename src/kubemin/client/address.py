"""Where a server is, and where below it something is asked for."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PREFIX = "/api/v1"


class Address:
    """A server's address. Raises `ValueError`, with a sentence, where it is none."""

    def __init__(self, server: str) -> None:
        self.server = server.rstrip("/")
        wrong = f"{server!r} is not the address of a server"
        if not server.startswith(("http://", "https://")):
            raise ValueError(f"{wrong}: it begins with http:// or https://")
        try:
            parts = urlsplit(self.server)
            self.host, self.port = parts.hostname or "", parts.port
        except ValueError as error:
            raise ValueError(f"{wrong}: {error}") from error
        if not self.host:
            raise ValueError(f"{wrong}: it names none")
        self.secure = parts.scheme == "https"
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._base = quote(parts.path, safe="/%")

    def target(self, path: str, params: Mapping[str, Any]) -> str:
        """What a request line has for this path; a parameter that is None is left out, one of a list is repeated."""
        given = {name: _written(value) for name, value in params.items() if value is not None}
        return self._base + path + (f"?{urlencode(given, doseq=True)}" if given else "")


def below(*segments: object) -> str:
    """The path of these segments, each one name. Raises `ValueError` for what can be no name there."""
    names = [str(one) for one in segments]
    for name in names:
        if name in ("", ".", ".."):
            raise ValueError(f"{name!r} names nothing")
    return PREFIX + "".join(f"/{quote(name, safe='~')}" for name in names)


def authorization(token: str | None) -> dict[str, str]:
    """The header that shows who asks."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def named(app: str) -> str:
    """An application as a path has it: its id, or ``namespace/name`` as ``namespace~name``."""
    return app.replace("/", "~")


def _written(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
