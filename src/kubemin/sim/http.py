"""The HTTP face of the registry: paths, queries, bodies and status codes as the API server has them."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

import yaml
from aiohttp import web

from kubemin.sim import discovery, openapi, table
from kubemin.sim.deletion import DeleteOptions, parse_dry_run
from kubemin.sim.faults import Faults, RequestInfo
from kubemin.sim.jsondata import Object, dump_json, load_json, utc_now
from kubemin.sim.listing import list_page
from kubemin.sim.negotiation import JSON, YAML, View, decode, decode_yaml, negotiate
from kubemin.sim.problems import Problem, bad_request, method_not_allowed
from kubemin.sim.registry import Registry
from kubemin.sim.resources import Resource
from kubemin.sim.routing import NoSuchPath, Target, parse
from kubemin.sim.scale import scale_of
from kubemin.sim.storage import Entry
from kubemin.sim.verbs import APPLY, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, Write, Written
from kubemin.sim.watch import serve_watch

MAX_BODY = 3 * 1024 * 1024
VERSION: Mapping[str, str] = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.0+kubemin-sim",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-04-22T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY)
_HEADERS = {"Cache-Control": "no-cache, private"}
_BROWSERS = ("curl", "Wget", "Mozilla")

Query = dict[str, str]

_BODY = web.RequestKey("body", bytes)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}


class Log(Protocol):
    """Tells what a container has printed, ``None`` if it never ran."""

    def __call__(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str | None: ...


class Api:
    """Answers requests from a registry."""

    def __init__(
        self,
        registry: Registry,
        *,
        log: Log,
        faults: Faults,
        token: str | None = None,
        bookmark_interval: float = 60.0,
    ) -> None:
        self._registry = registry
        self._log = log
        self._faults = faults
        self._token = token
        self._bookmark_interval = bookmark_interval
        self.closing = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Refusals are ``Status`` bodies."""
        try:
            self._authenticate(request)
            path = request.rel_url.raw_path
            if path.startswith("/sim/faults"):
                return await self._faults.serve(request)
            if not path.startswith(("/api/v1/", "/apis/")):
                return self._about(request, path)
            try:
                target = parse(path)
            except NoSuchPath:
                return self._about(request, path)
            return await self._resource(request, target)
        except Problem as problem:
            return _refuse(problem, request)

    def _authenticate(self, request: web.BaseRequest) -> None:
        if self._token is not None and request.headers.get("Authorization") != f"Bearer {self._token}":
            raise Problem(401, "Unauthorized", "Unauthorized")

    def _about(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Everything that is not an object: health, version, discovery, schemas."""
        known: Callable[[], web.StreamResponse] | None = {
            "/version": lambda: _answer(dict(VERSION), request),
            "/healthz": lambda: web.Response(text="ok"),
            "/livez": lambda: web.Response(text="ok"),
            "/readyz": lambda: web.Response(text="ok"),
        }.get(path.rstrip("/") or "/")
        if known is not None:
            return known()
        answer = discovery.answer(path, request.headers.get("Accept")) or openapi.answer(
            path, request.headers.get("Accept")
        )
        if answer is None:
            return web.Response(status=404, text="404 page not found\n")
        body, content_type = answer
        return web.Response(body=body, headers={**_HEADERS, "Content-Type": content_type})

    # -- resources

    async def _resource(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        query: Query = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        # Read before any fault strikes: a request that is to land later must be whole.
        request[_BODY] = await _read(request)
        info = _info(request, target, query)
        return await self._faults.around(info, lambda: self._dispatch(request, target, query), request.transport)

    async def _dispatch(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        method = request.method
        if method == "GET" and not target.name:
            if query.get("watch", "").lower() in ("true", "1"):
                return await self._watch(request, target, query)
            return self._list(request, target, query)
        verbs: Mapping[str, Callable[[web.BaseRequest, Target, Query], Awaitable[web.StreamResponse]]] = (
            {"GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}
            if target.name
            else {"POST": self._post, "DELETE": self._delete_collection}
        )
        verb = verbs.get(method)
        misplaced = not target.name and target.resource.namespaced and not target.namespace
        if verb is None or misplaced or (target.subresource and method not in ("GET", "PUT", "PATCH")):
            raise Problem(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return await verb(request, target, query)

    async def _get(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        if query.get("watch", "").lower() in ("true", "1"):
            named = {**query, "fieldSelector": f"metadata.name={target.name}"}
            return await self._watch(request, Target(target.resource, target.namespace), named)
        if target.subresource == "scale":
            entry = self._registry.entry(target.resource.plural, target.namespace, target.name)
            return _answer(scale_of(target.resource, entry.obj), request)
        if target.subresource == "log":
            return self._container_log(target, query)
        if target.subresource == "finalize":
            raise Problem(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        entry = self._registry.entry(target.resource.plural, target.namespace, target.name)
        return self._show(request, target.resource, entry.obj, query, entry=entry)

    def _container_log(self, target: Target, query: Query) -> web.StreamResponse:
        pod = self._registry.entry(target.resource.plural, target.namespace, target.name).obj
        names = [container["name"] for container in pod["spec"]["containers"]]
        container = query.get("container") or (names[0] if len(names) == 1 else "")
        if not container:
            raise bad_request(
                f"a container name must be specified for pod {target.name}, choose one of: [{' '.join(names)}]"
            )
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {target.name}")
        text = self._log(target.namespace, target.name, container, previous=query.get("previous") == "true")
        if text is None:
            raise bad_request(f'container "{container}" in pod "{target.name}" is waiting to start: ContainerCreating')
        return web.Response(text=text)

    def _list(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        view = negotiate(request.headers.get("Accept"))
        page = list_page(self._registry.storage, target.resource, target.namespace, query)
        if view.kind == "Table":
            body = table.render(
                target.resource, [entry.obj for entry in page.entries], page.meta, query, view.version, utc_now()
            )
            return _answer(body, request)
        if view.kind:
            body = table.metadata_list([entry.obj for entry in page.entries], page.meta, view.version)
            return _answer(body, request)
        head = dump_json(
            {"kind": f"{target.resource.kind}List", "apiVersion": target.resource.api_version, "metadata": page.meta}
        )
        # Like the real server's, the items of a list do not say what they are: the list does.
        skip = len(dump_json({"kind": target.resource.kind, "apiVersion": target.resource.api_version}))
        items = b",".join(b"{" + entry.raw[skip:] for entry in page.entries)
        return _send(head[:-1] + b',"items":[' + items + b"]}", request)

    async def _watch(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        return await serve_watch(
            request,
            self._registry.storage,
            target.resource,
            target.namespace,
            query,
            view=negotiate(request.headers.get("Accept")),
            bookmark_interval=self._bookmark_interval,
            closing=lambda: self.closing,
        )

    async def _post(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        body = await self._body(request, target.resource)
        write = _write(request, query, "CreateOptions")
        return self._written(
            request, target, self._registry.verbs.post(target.resource, target.namespace, body, write), write
        )

    async def _put(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        body = await self._body(request, target.resource)
        write = _write(request, query, "UpdateOptions", target.subresource)
        written = self._registry.verbs.put(target.resource, target.namespace, target.name, body, write)
        return self._written(request, target, written, write)

    async def _patch(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
        if content_type not in _PATCH_TYPES:
            raise Problem(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                + ", ".join(_PATCH_TYPES),
            )
        data = request[_BODY]
        write = _write(request, query, "PatchOptions", target.subresource)
        force = query.get("force", "").lower() in ("true", "1")
        if content_type == APPLY:
            if not query.get("fieldManager"):
                raise _bad_option(
                    "PatchOptions", "fieldManager", "FieldValueRequired", "Required value: is required for apply patch"
                )
            body = decode_yaml(data, target.resource.kind)
        else:
            if "force" in query:
                raise _bad_option(
                    "PatchOptions",
                    "force",
                    "FieldValueForbidden",
                    "Forbidden: may not be specified for non-apply patch",
                )
            body = _patch_body(data)
        written = self._registry.verbs.amend(
            target.resource, target.namespace, target.name, content_type, body, write, force=force
        )
        return self._written(request, target, written, write)

    async def _delete(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        options = await self._delete_options(request, query)
        removed = self._registry.verbs.remove(target.resource, target.namespace, target.name, options)
        if not removed.gone or target.resource.returns_deleted:
            return self._show(request, target.resource, removed.obj, query)
        meta = removed.obj["metadata"]
        details = {
            "name": meta["name"],
            "group": target.resource.group,
            "kind": target.resource.plural,
            "uid": meta["uid"],
        }
        return _answer(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {key: value for key, value in details.items() if value},
            },
            request,
        )

    async def _delete_collection(self, request: web.BaseRequest, target: Target, query: Query) -> web.StreamResponse:
        if "deletecollection" not in target.resource.verbs:
            raise method_not_allowed(target.resource, "delete")
        options = await self._delete_options(request, query)
        deleted = self._registry.delete_collection(
            target.resource.plural,
            target.namespace,
            query.get("labelSelector", ""),
            query.get("fieldSelector", ""),
            options=options,
        )
        body = {
            "kind": f"{target.resource.kind}List",
            "apiVersion": target.resource.api_version,
            "metadata": {"resourceVersion": str(self._registry.storage.revision)},
            "items": list(deleted),
        }
        return _answer(body, request)

    # -- reading and showing

    async def _body(self, request: web.BaseRequest, resource: Resource) -> Object:
        body = decode(request[_BODY], request.headers.get("Content-Type", ""), resource.kind)
        if not isinstance(body, dict):
            raise bad_request(
                f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
                "json parse error: it is not an object"
            )
        return body

    async def _delete_options(self, request: web.BaseRequest, query: Query) -> DeleteOptions:
        data = request[_BODY]
        if data:
            body = decode(data, request.headers.get("Content-Type", ""), "DeleteOptions")
            if not isinstance(body, dict) or body.get("kind", "DeleteOptions") != "DeleteOptions":
                raise bad_request("decoded object cannot be converted to DeleteOptions")
            return DeleteOptions.parse(body)
        options: Object = {}
        if "propagationPolicy" in query:
            options["propagationPolicy"] = query["propagationPolicy"]
        if "orphanDependents" in query:
            options["orphanDependents"] = query["orphanDependents"].lower() in ("true", "1")
        if "gracePeriodSeconds" in query:
            options["gracePeriodSeconds"] = _integer(query["gracePeriodSeconds"])
        if query.get("dryRun"):
            options["dryRun"] = [query["dryRun"]]
        return DeleteOptions.parse(options)

    def _written(self, request: web.BaseRequest, target: Target, written: Written, write: Write) -> web.StreamResponse:
        if target.subresource == "scale":
            return _answer(scale_of(target.resource, written.obj), request)
        return self._show(
            request,
            target.resource,
            written.obj,
            {},
            entry=written.entry,
            status=201 if written.created else 200,
            warnings=write.warnings,
        )

    def _show(
        self,
        request: web.BaseRequest,
        resource: Resource,
        obj: Object,
        query: Query,
        *,
        entry: Entry | None = None,
        status: int = 200,
        warnings: list[str] | None = None,
    ) -> web.StreamResponse:
        view = negotiate(request.headers.get("Accept"))
        if view.kind == "Table":
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return _answer(
                table.render(resource, [obj], meta, query, view.version, utc_now()), request, status, view, warnings
            )
        if view.kind == "PartialObjectMetadata":
            return _answer(table.partial(obj, view.version), request, status, view, warnings)
        if view.kind:
            raise Problem(
                406, "NotAcceptable", "you requested PartialObjectMetadataList, but the requested object is not a list"
            )
        if entry is not None and not view.yaml:
            return _send(entry.raw, request, status, warnings)
        return _answer(obj, request, status, view, warnings)


def _write(request: web.BaseRequest, query: Query, kind: str, subresource: str = "") -> Write:
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        raise _bad_option(
            kind,
            "fieldValidation",
            "FieldValueNotSupported",
            f'Unsupported value: "{validation}": supported values: "", "Ignore", "Strict", "Warn"',
        )
    manager = query.get("fieldManager", "")
    if len(manager) > 128:
        raise _bad_option(kind, "fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes")
    if not manager:
        agent = request.headers.get("User-Agent", "").partition("/")[0]
        manager = "".join(letter for letter in agent if letter.isprintable())[:128] or "unknown"
    dry_run = parse_dry_run([query["dryRun"]] if query.get("dryRun") else (), kind)
    return Write(manager, dry_run, validation, subresource, [])


def _bad_option(kind: str, field: str, reason: str, message: str) -> Problem:
    return Problem(
        422,
        "Invalid",
        f'{kind}.meta.k8s.io "" is invalid: {field}: {message}',
        details={"group": "meta.k8s.io", "kind": kind},
        causes=[{"reason": reason, "message": message, "field": field}],
    )


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _patch_body(data: bytes) -> Any:
    try:
        return load_json(data)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"error decoding patch: {error}") from None


def _info(request: web.BaseRequest, target: Target, query: Query) -> RequestInfo:
    verb = _VERBS.get(request.method, request.method.lower())
    if verb == "get" and query.get("watch", "").lower() in ("true", "1"):
        verb = "watch"
    elif not target.name and verb in ("get", "delete"):
        verb = {"get": "list", "delete": "deletecollection"}[verb]
    elif verb == "patch" and request.headers.get("Content-Type", "").startswith(APPLY):
        verb = "apply"
    resource = target.resource.plural
    return RequestInfo(verb, resource, target.namespace, target.name, target.subresource, query, request[_BODY])


async def _read(request: web.BaseRequest) -> bytes:
    """The body, if it is not over the limit."""
    if not request.can_read_body:
        return b""
    length = request.content_length
    if length is not None and length > MAX_BODY:
        raise _too_large()
    chunks = bytearray()
    async for chunk in request.content.iter_any():
        chunks += chunk
        if len(chunks) > MAX_BODY:
            raise _too_large()
    return bytes(chunks)


def _too_large() -> Problem:
    return Problem(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")


def _refuse(problem: Problem, request: web.BaseRequest) -> web.Response:
    response = _answer(problem.body(), request, problem.code)
    if seconds := problem.details.get("retryAfterSeconds"):
        response.headers["Retry-After"] = str(seconds)
    return response


def _answer(
    body: Object,
    request: web.BaseRequest,
    status: int = 200,
    view: View | None = None,
    warnings: list[str] | None = None,
) -> web.Response:
    if view is not None and view.yaml:
        text = yaml.safe_dump(body, sort_keys=False)
        return web.Response(text=text, status=status, content_type=YAML, headers=_HEADERS)
    return _send(dump_json(body), request, status, warnings)


def _send(data: bytes, request: web.BaseRequest, status: int = 200, warnings: list[str] | None = None) -> web.Response:
    pretty = "pretty=" in request.rel_url.raw_query_string or request.headers.get("User-Agent", "").startswith(
        _BROWSERS
    )
    if pretty and "pretty=false" not in request.rel_url.raw_query_string:
        data = json.dumps(json.loads(data), indent=2, ensure_ascii=False).encode() + b"\n"
    response = web.Response(body=data, status=status, content_type=JSON, headers=_HEADERS)
    for text in warnings or ():
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
