"""Pages of other origins: those that the server names may read its replies, and ask it to change things."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError

METHODS = ("GET", "POST", "PUT", "DELETE")
REQUEST_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Traceparent", "X-Request-Id")
_REPLY_HEADERS = ("Retry-After", "X-Request-Id")
_LENGTHS = ("content-length", "content-type")


class Cors(CORSMiddleware):
    """ASGI middleware: Starlette's, with refusals in the envelope. Nothing is said of cookies: there are none."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=_REPLY_HEADERS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a page that asks before it sends; 403 where it may not."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        why = bytes(answer.body).decode().removeprefix("Disallowed CORS ")
        message = (
            f"A page of {request_headers['origin'][:100]} may not send this request ({why}): only pages of "
            "KUBEMIN_ALLOWED_ORIGINS, with the methods and headers of the API."
        )
        headers = {name: value for name, value in answer.headers.items() if name not in _LENGTHS}
        return ApiError(403, ApiCode.FORBIDDEN, message, headers=headers).response()
