"""A web console at the server's own address: the files of a build, below whatever the API leaves free."""

import mimetypes
import os
from pathlib import PurePosixPath

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

INDEX = "index.html"
_API = "api"
"""First part of the paths that are the API's, also where it has nothing."""
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a browser insists on; the machine's own table may say otherwise."""
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class Console(StaticFiles):
    """ASGI application: the files of a directory; its page for every address that looks like one of a page.

    Files below ``assets`` have a digest in their names (Vite and others build so), and are kept by browsers for good;
    of the others they ask each time whether there is a newer one. Raises `HTTPException` (404, 405).
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; the console's page where there is none, and the address has no suffix."""
        parts = PurePosixPath(path.replace(os.sep, "/")).parts
        if parts[:1] == (_API,):
            raise HTTPException(404)
        try:
            return _marked(await super().get_response(path, scope), path)
        except HTTPException as error:
            if error.status_code != 404 or PurePosixPath(parts[-1] if parts else "").suffix:
                raise
        return _marked(await super().get_response(INDEX, scope), INDEX)


def _marked(response: Response, path: str) -> Response:
    suffix = os.path.splitext(path)[1].lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    if response.status_code != 304:
        response.headers["content-type"] = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    in_assets = path.replace(os.sep, "/").startswith("assets/")
    response.headers["cache-control"] = _FOR_GOOD if in_assets else _ASK_AGAIN
    response.headers["x-content-type-options"] = "nosniff"
    # What it may load is its own business; frames are not, nor where its addresses are told.
    response.headers["content-security-policy"] = "frame-ancestors 'self'"
    response.headers["x-frame-options"] = "SAMEORIGIN"
    response.headers["referrer-policy"] = "same-origin"
    return response
