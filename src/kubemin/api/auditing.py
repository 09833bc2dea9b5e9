"""Each call that may change something becomes a row of the audit, whatever became of it.

What is known of it is read from outside: the route, the reply (its code, and the ids in its data), and what the
handlers have noted. Bodies, queries and headers of requests are not looked at: they may hold secrets.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubemin.api.audit_log import UNKNOWN, AuditLog
from kubemin.api.deps import PRINCIPAL
from kubemin.api.lookups import cluster_named, id_named, is_id
from kubemin.api.request_ids import request_id
from kubemin.api.route_table import RouteTable
from kubemin.spec.characters import visible
from kubemin.spec.names import DEFAULT_CLUSTER, is_label
from kubemin.store.audit import Call

NOTED = "kubemin.audited"
"""Where in an ASGI scope handlers note what they know (`Noted`)."""
STORES_NOTHING = frozenset({"try_application", "plan_application", "read_application", "try_workflow"})
"""Operations that only answer. They are recorded where it was refused that this caller asks at all."""
NEVER_WAITS = frozenset({"cancel_task"})
"""Operations whose reply does not wait until their row is stored: nothing delays a stop."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOGIN = "/auth/callback"
"""The one address that a GET changes something at: an issuer sends a browser here, and its session begins."""
_WHO = frozenset({401, 403, 421, 429})
"""Statuses that refuse the caller, and not what was asked."""
_PLAIN = re.compile(r"[A-Za-z0-9~._-]{1,330}")
_LARGEST = 64 * 1024
"""Bytes of a reply that is looked into: those that name a task are short."""
_TARGETS = ("task_id", "revision", "token_id", "delivery_id", "name")
"""Parameters of addresses that say what a call is about, beside the application."""


@dataclass(slots=True)
class Noted:
    """What a handler knows of its call and its reply does not say."""

    cluster: str = ""
    app: str = ""
    task: str = ""
    target: str = ""


def cluster_in(data: Mapping[str, Any]) -> str:
    """The cluster that an application says it is of; empty where that is no name."""
    name = data.get("cluster") or DEFAULT_CLUSTER
    return name if isinstance(name, str) and is_label(name) else ""


def noted(scope: Scope) -> Noted:
    """Where a handler notes it. Of a call that is not recorded it is thrown away."""
    found = scope.get(NOTED)
    return found if isinstance(found, Noted) else Noted()


class Audited:
    """ASGI middleware: records what is asked, and lets the reply wait until that is stored, but not for long."""

    def __init__(self, app: ASGIApp, *, log: AuditLog, table: RouteTable) -> None:
        self._app = app
        self._log = log
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"] in _READS and scope["path"] != _LOGIN):
            await self._app(scope, receive, send)
            return
        scope[NOTED] = Noted()
        head: Message | None = None
        is_recorded = False

        async def watched(message: Message) -> None:
            nonlocal head, is_recorded
            if message["type"] == "http.response.start":
                head = message  # until the reply is known, and recorded
                return
            if not is_recorded and head is not None:
                is_recorded = True
                whole = b"" if message.get("more_body", False) else message.get("body", b"")
                await self._record(scope, head["status"], whole, wait=True)
                await send(head)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if not is_recorded:  # nobody was there to be answered
                await self._record(scope, head["status"] if head else 0, b"", wait=False)

    async def _record(self, scope: Scope, status: int, reply: bytes, *, wait: bool) -> None:
        call = _call(scope, self._table, status, reply)
        if call.operation in STORES_NOTHING and status not in _WHO:
            return
        stored = self._log.record(call)
        if wait and call.operation not in NEVER_WAITS:
            await self._log.wait(stored)


def _call(scope: Scope, table: RouteTable, status: int, reply: bytes) -> Call:
    found = table.found(scope["method"], scope["path"])
    said = found.parameters if found else {}
    code, data = _answered(reply)
    known = noted(scope)
    who, how = _caller(scope)
    app = known.app or _text(data, "appId") or id_named(said.get("app_id", ""))
    if found and found.operation == "save_application":
        app = app or _text(data, "id")
    task = known.task or _text(data, "taskId") or _id(said.get("task_id", ""))
    parts = [known.target or said.get("app_id", ""), *(said[name] for name in _TARGETS if name in said)]
    if workflow := _text(data, "workflowId"):
        parts.append(workflow)
    return Call(
        caller=who,
        authenticated=how,
        address=_address(scope),
        method=visible(scope["method"])[:16],
        operation=found.operation if found else "none",
        target="/".join(part if _PLAIN.fullmatch(part) else "?" for part in parts if part)[:512],
        cluster=known.cluster or cluster_named(said.get("app_id", "")) or cluster_named(said.get("task_id", "")),
        app=app,
        task=task,
        status=status,
        code=code,
        request_id=request_id(scope),
    )


def _caller(scope: Scope) -> tuple[str, str]:
    """Who, and how that is known. Nobody is known who was refused before, or has shown no credential that is right."""
    principal = scope.get(PRINCIPAL)
    return (UNKNOWN, "") if principal is None else (visible(principal.name)[:255], principal.how)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    try:
        return str(ipaddress.ip_address(client[0])) if client else ""
    except ValueError:
        return UNKNOWN  # a proxy that is trusted said something else


def _answered(reply: bytes) -> tuple[int, dict[str, Any]]:
    """The business code, and the data where they are an object."""
    if not reply.startswith(b"{") or len(reply) > _LARGEST:
        return 0, {}
    try:
        envelope = json.loads(reply)
    except ValueError:
        return 0, {}
    code, data = envelope.get("code"), envelope.get("data")
    return code if isinstance(code, int) else 0, data if isinstance(data, dict) else {}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return _id(value) if isinstance(value, str) else ""


def _id(text: str) -> str:
    return text if is_id(text) else ""
