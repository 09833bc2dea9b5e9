"""Request bodies: how much is read, and what counts as JSON.

The standard library's parser lets pass what the rooms below cannot keep (NaN, numbers without end, NUL, half a
surrogate pair, a thousand levels of nesting) and what means two things (a key given twice). All of it is refused here,
with the path of the field, so that no handler meets it.
"""

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubemin.api.codes import ApiCode
from kubemin.api.deps import deps_of, given, principal_of
from kubemin.api.envelope import ApiError, FieldError
from kubemin.spec.reading import MAX_VALUES
from kubemin.spec.unread_manifests import MAX_MANIFEST_DEPTH, MAX_MANIFEST_VALUES

MAX_DEPTH = 64
SMALL_BODY = 16 * 1024
"""Bytes. A larger one is read, and checked, beside the loop."""
UNKNOWN_BODY = 32 * 1024
"""Bytes, of whoever has not said who they are: they may send a credential, and reading more would cost all others."""
_MAX_INT = 2**63 - 1
_LINGER_BYTES = 16 * 1024 * 1024
"""How much of a body that is too large is still read and thrown away, so that its sender gets to read the reply."""


class BodyTooLarge(Exception):
    """More was sent than ``max_body_bytes``. Raised by ``receive``, so within whatever was reading the body."""


class BodyLimit:
    """ASGI middleware: answers 413 once more than ``max_body_bytes``, or `UNKNOWN_BODY`, were announced or arrived.

    A client that goes away in the middle is no error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = deps_of(scope).settings.max_body_bytes
        if principal_of(scope) is None:
            limit = min(limit, UNKNOWN_BODY)
        read = 0
        more = True
        started = False

        async def counted() -> Message:
            nonlocal read, more
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                more = message.get("more_body", False)
                if read > limit:
                    raise BodyTooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if _announced(scope) > limit:
                raise BodyTooLarge
            await self._app(scope, counted, watched)
        except ClientDisconnect:
            return  # nobody is there to be told
        except BodyTooLarge:
            if started:
                raise
            while more and read <= limit + _LINGER_BYTES:
                message = await receive()
                if message["type"] != "http.request":
                    return
                read += len(message.get("body", b""))
                more = message.get("more_body", False)
            error = ApiError(413, ApiCode.TOO_LARGE, f"The body has more than the {limit} bytes that are accepted.")
            await error.response()(scope, receive, send)


def _announced(scope: Scope) -> int:
    """The Content-Length, 0 when there is none; the server below has refused one that is not a number."""
    value: bytes = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(value) if value.isdigit() else 0


class StrictRequest(Request):
    """A request whose ``json()`` is :func:`parse_json` and insists on the content type."""

    async def json(self) -> Any:
        """The body as JSON. Raises :class:`ApiError`."""
        if not hasattr(self, "_json"):
            body = await self.body()
            large = len(body) > SMALL_BODY
            self._json = await given(self).compute_thread.do(lambda: parse_json(body)) if large else parse_json(body)
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its body by :class:`StrictRequest`.

    A body of another type is refused before it is read: a page of a foreign site can make a browser post text or a form
    to a loopback address without asking, but not JSON.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, given the stricter request."""
        handle = super().get_route_handler()
        wants_body = self.body_field is not None

        async def handle_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if wants_body:
                _check_content_type(strict)
                if await strict.body():
                    await strict.json()  # here, since FastAPI would turn every error in it into one vague 400
            return await handle(strict)

        return handle_strictly


def _check_content_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    if not kind and empty:
        return
    raise ApiError(
        415,
        ApiCode.UNSUPPORTED_MEDIA_TYPE,
        "The body must be JSON with the header Content-Type: application/json; "
        f"{f'it says {kind[:100]}' if kind else 'it has none'}.",
    )


def parse_json(body: bytes) -> Any:
    """The value that the bytes mean. Raises :class:`ApiError` (400) that says where they do not mean any."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        _refuse("body", "INVALID_JSON", f"The body is not UTF-8: byte {error.start} cannot be decoded.")
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        _refuse(
            "body", "INVALID_JSON", f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        )
    except RecursionError:
        _refuse("body", "INVALID_JSON", f"The body is nested deeper than {MAX_DEPTH} levels.")
    except ValueError:  # more digits than int() takes
        _refuse("body", "INVALID_JSON", "The body holds a number that is too large.")
    _check(value)
    return value


def _refuse(field: str, code: str, message: str) -> NoReturn:
    field, message = _short(field), _short(message)
    raise ApiError(400, ApiCode.VALIDATION, message, errors=[FieldError(field=field, code=code, message=message)])


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:200]} … {text[-50:]}"


def _refuse_constant(name: str) -> NoReturn:
    _refuse("body", "INVALID_JSON", f"The body is not JSON: {name} is not a number that JSON knows.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object. A key that is there twice is refused: which of the two was meant, nobody can tell."""
    found: dict[str, Any] = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _check_text(None, key)
                _refuse(key or "body", "DUPLICATE_FIELD", f'"{key}" is given twice in one object of the body.')
            seen.add(key)
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


class _Place(NamedTuple):
    """Where a value is in the body. It is spelled for a refusal alone: each spelled path repeats the keys above it."""

    above: "_Place | None"
    name: str | int


def _spelled(place: _Place | None) -> str:
    names: list[str] = []
    while place is not None:
        dot = "" if place.above is None else "."
        names.append(f"[{place.name}]" if isinstance(place.name, int) else f"{dot}{place.name}")
        place = place.above
    return "".join(reversed(names)) or "body"


def _check(root: Any) -> None:
    """Walk the value without recursion; refuse depth, numbers and characters that could not be stored."""
    manifests = _Bound("A list of manifests in the body", MAX_MANIFEST_VALUES, MAX_DEPTH + MAX_MANIFEST_DEPTH)
    pending: list[tuple[_Place | None, int, Any, _Bound]] = [(None, 0, root, _Bound("The body", MAX_VALUES, MAX_DEPTH))]
    while pending:
        place, depth, value, bound = pending.pop()
        if isinstance(value, str):
            _check_text(place, value)
        elif isinstance(value, int):
            if abs(value) > _MAX_INT:
                path = _spelled(place)
                _refuse(path, "NUMBER_TOO_LARGE", f"{path}: the number has more than 64 bits.")
        elif isinstance(value, dict | list):
            bound.take(place, depth, len(value))
            if isinstance(value, list):
                pending.extend((_Place(place, index), depth + 1, item, bound) for index, item in enumerate(value))
                continue
            for key, item in value.items():
                _check_text(place, key)
                within = None if place is None or place.above is None else place.name
                is_manifests = key == "manifests" and within == "properties"
                pending.append((_Place(place, key), depth + 1, item, manifests if is_manifests else bound))


class _Bound:
    """How much a part of a body may hold; Kubernetes objects as they stand are large and deep."""

    def __init__(self, what: str, values: int, depth: int) -> None:
        self._what = what
        self._values = values
        self._depth = depth
        self._count = 0

    def take(self, place: _Place | None, depth: int, more: int) -> None:
        """Count what an object or a list holds. Raises :class:`ApiError`."""
        if depth == self._depth:
            _refuse(_spelled(place), "NESTED_TOO_DEEPLY", f"{self._what} is nested deeper than {self._depth} levels.")
        self._count += more
        if self._count > self._values:
            _refuse("body", "TOO_MANY_VALUES", f"{self._what} holds more than {self._values:,} values.")


def _check_text(place: _Place | None, text: str) -> None:
    if text.isascii() and "\0" not in text:
        return
    if "\0" in text:
        _refuse_character(place, "a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse_character(place, "half a surrogate pair")


def _refuse_character(place: _Place | None, what: str) -> NoReturn:
    path = _spelled(place)
    _refuse(path, "INVALID_CHARACTER", f"{path}: the text holds {what}.")
