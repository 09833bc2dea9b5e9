"""The HTTP face of the cluster: paths, bodies and status codes as the API server has them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from aiohttp import web

from kubesim import discovery, openapi
from kubesim.answers import Answer, plain, refusal, wants_pretty
from kubesim.authorization import Authorization
from kubesim.calls import Call
from kubesim.catalog import Catalog
from kubesim.custom.resource import CustomResource
from kubesim.faults import Faults, RequestInfo
from kubesim.faultserver import serve_faults
from kubesim.handlers import Handlers, Log
from kubesim.problems import Problem
from kubesim.registry import Registry
from kubesim.routing import NoSuchPath, parse
from kubesim.watch import serve_watch

MAX_BODY = 3 * 1024 * 1024
VERSION: Mapping[str, str] = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.0+kubesim",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-04-22T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
_CACHE = "no-cache, private"
_ENVIRONMENT = "/sim/environment/"
"""Then a Pod's uid: what its containers read when they started. No API server tells that."""


class Api:
    """Answers HTTP requests."""

    def __init__(
        self,
        registry: Registry,
        *,
        log: Log,
        environment_of: Callable[[str], Mapping[str, Mapping[str, str]]],
        faults: Faults,
        authorization: Authorization,
        bookmark_interval: float = 60.0,
    ) -> None:
        self._registry = registry
        self._handlers = Handlers(registry, log)
        self._environment_of = environment_of
        self._faults = faults
        self._authorization = authorization
        self._bookmark_interval = bookmark_interval
        self.closing = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Refusals are ``Status`` bodies."""
        try:
            caller = self._authorization.caller(request.headers.get("Authorization"))
            path = request.rel_url.raw_path
            call = await _read_call(request, path, self._registry.catalog)
            if caller is not None:
                caller = caller.acting(request.headers, path, call)
                if call is None:
                    caller.visit(path)
                else:
                    caller.authorize(call)
                    call = replace(call, guard=caller.guard(call))
            if path.startswith("/sim/faults"):
                return await serve_faults(self._faults, request)
            if path.startswith(_ENVIRONMENT):
                return _response(plain(dict(self._environment_of(path.removeprefix(_ENVIRONMENT)))), request)
            if call is None:
                return _response(_about(path, request.headers.get("Accept"), self._registry.catalog), request)
            # The body was read before any fault strikes: a request that is to land later must be whole.
            target = call.target
            info = RequestInfo(
                call.verb,
                target.resource.plural,
                target.namespace,
                target.name,
                target.subresource,
                call.query,
                call.body,
            )
            return await self._faults.around(info, lambda: self._serve(request, call), request.transport)
        except Problem as problem:
            return _response(refusal(problem), request)

    async def _serve(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        if call.watches:
            served = self._registry.catalog.serves
            return await serve_watch(
                request,
                call,
                self._registry.storage,
                bookmark_interval=self._bookmark_interval,
                closing=lambda: self.closing,
                served=lambda: served(call.target.resource),
            )
        answer = self._handlers.answer(call)
        if isinstance(call.target.resource, CustomResource) and (warning := call.target.resource.warning):
            answer = replace(answer, warnings=(warning, *answer.warnings))
        return _response(answer, request)


async def _read_call(request: web.BaseRequest, path: str, catalog: Catalog) -> Call | None:
    """The call that a request is, or ``None`` if it is not about a resource."""
    if not path.startswith(("/api/v1/", "/apis/")):
        return None
    try:
        target = parse(path, catalog)
    except NoSuchPath:
        return None
    headers = request.headers
    text = request.rel_url.raw_query_string
    return Call(
        request.method,
        target,
        dict(parse_qsl(text, keep_blank_values=True)) if text else {},
        headers.get("Accept"),
        headers.get("Content-Type", ""),
        headers.get("User-Agent", ""),
        await _read(request) if request.can_read_body else b"",
    )


async def _read(request: web.BaseRequest) -> bytes:
    """The body, if it is not over the limit."""
    if (request.content_length or 0) > MAX_BODY:
        raise _too_large()
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > MAX_BODY:
            raise _too_large()
    return bytes(data)


def _too_large() -> Problem:
    return Problem(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")


def _about(path: str, accept: str | None, catalog: Catalog) -> Answer:
    """Everything that is not an object: health, version, discovery, schemas."""
    path = path.rstrip("/")
    if path == "/version":
        return plain(dict(VERSION))
    if path in _HEALTH:
        return Answer(b"ok", content_type="text/plain")
    answer = discovery.answer(path, accept, catalog) or openapi.answer(path, accept, catalog.groups)
    if answer is None:
        return Answer(b"404 page not found\n", 404, "text/plain")
    return Answer(answer[0], content_type=answer[1])


def _response(answer: Answer, request: web.BaseRequest) -> web.Response:
    if wants_pretty(request.rel_url.raw_query_string, request.headers.get("User-Agent", "")):
        answer = answer.pretty()
    headers = {"Cache-Control": _CACHE, "Content-Type": answer.content_type}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    response = web.Response(body=answer.body, status=answer.status, headers=headers)
    for text in answer.warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
