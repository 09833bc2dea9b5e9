"""The page at ``/``: a few files that come with this package, for a browser. They ask the API for all they show."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FILES = "page/"
"""Where its files are. The page itself is there too, for when ``/`` is a web console's."""

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".md": "text/markdown", "": "text/plain"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",  # a browser asks each time whether there is a newer one
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def is_page(path: str) -> bool:
    """Whether this is an address of the page, whatever else is at ``/``."""
    return path == "/page" or path.startswith(f"/{FILES}")


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application: the page at ``/`` and ``/page/``, its files below that. Raises `HTTPException` (404, 405)."""
    request = Request(scope)
    found = _answers().get(request.url.path)
    if found is None:
        raise HTTPException(404)
    if request.method not in ("GET", "HEAD"):
        raise HTTPException(405, headers={"Allow": "GET, HEAD"})
    body, kind = found
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    headers = {**_HEADERS, "ETag": tag}
    if request.headers.get("If-None-Match") == tag:
        response = Response(status_code=304, headers=headers)
    else:
        response = Response(body, media_type=kind, headers=headers)
    await response(scope, receive, send)


@cache
def _answers() -> Mapping[str, tuple[bytes, str]]:
    """By path: what is there, and its type."""
    every = _all(files("kubemin") / "page", "")
    found = {f"/{FILES}{name}": (one.read_bytes(), _type(one.name)) for name, one in every}
    index = found.pop(f"/{FILES}index.html")[0].decode()
    for path, prefix in (("/", FILES), ("/page", FILES), (f"/{FILES}", "")):
        found[path] = (index.replace("{files}", prefix).encode(), "text/html")
    return found


def _all(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for one in folder.iterdir():
        found += _all(one, f"{prefix}{one.name}/") if one.is_dir() else [(f"{prefix}{one.name}", one)]
    return found


def _type(name: str) -> str:
    return _TYPES[name[name.rfind(".") :] if "." in name else ""]
