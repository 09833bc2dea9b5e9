"""The audit: who changed what. It is read here, and written by `auditing`."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from kubemin.api import paging
from kubemin.api.access import About, Access, Asked, needs, unauthorized
from kubemin.api.deps import Deps, Given
from kubemin.api.envelope import Envelope
from kubemin.api.listening import credential_of
from kubemin.api.lookups import id_named, is_id, task_named
from kubemin.api.models.audit import AuditEntry, AuditHead, AuditPage
from kubemin.api.openapi import Responses, errors
from kubemin.api.parameters import DEFAULT_PAGE_SIZE, After, Exactly, PageSize, Since, Until, moment_of
from kubemin.identity.grants import Role
from kubemin.store import audit
from kubemin.store.audit import AuditRow, Wanted

router = APIRouter(tags=["Audit"])

LINES = "application/x-ndjson"
_AT_ONCE = 1000
_STATUSES = {"done": (200, 400), "refused": (400, 500), "failed": (500, 600), "unanswered": (0, 200)}
_TEXT_LINES: Responses = {
    200: {
        "description": "One row a line, as `GET /audit` has them, oldest first.",
        "content": {LINES: {"schema": {"type": "string"}}},
    }
}

_PLAIN = r"^[A-Za-z0-9._=-]*$"

Outcome = Annotated[
    Literal["done", "refused", "failed", "unanswered"] | None,
    Query(description="What became of them: by status below 400, 4xx, 5xx, or none."),
]
Status = Annotated[int | None, Query(ge=0, le=599, description="Only those that were answered so; not with `outcome`.")]
OfApp = Annotated[
    str | None,
    Query(max_length=127, pattern="^[a-zA-Z0-9~-]*$", description="Of this application: its id, or `namespace~name`."),
]
OfTask = Annotated[
    str | None,
    Query(max_length=127, pattern="^[a-zA-Z0-9~-]*$", description="Of this task: its id, or a beginning of it."),
]
RequestId = Annotated[
    str | None, Query(alias="requestId", max_length=64, pattern=_PLAIN, description="Of this `X-Request-Id`.")
]


async def _wanted(
    deps: Given,
    since: Since = None,
    until: Until = None,
    caller: Exactly = None,
    operation: Exactly = None,
    cluster: Exactly = None,
    app: OfApp = None,
    task: OfTask = None,
    outcome: Outcome = None,
    status: Status = None,
    request_id: RequestId = None,
) -> Wanted:
    """What the filters mean; an id need not be there any more."""
    if task is not None and not is_id(task):
        async with deps.db.read() as tx:
            task = await task_named(tx, task)
    statuses = None if outcome is None else _STATUSES[outcome]
    return Wanted(
        since=None if since is None else moment_of(since),
        until=None if until is None else moment_of(until, "until"),
        caller=caller,
        operation=operation,
        cluster=cluster,
        app=app if app is None else id_named(app) or app,
        task=task,
        request_id=request_id,
        statuses=statuses if status is None else (status, status + 1),
    )


Filtered = Annotated[Wanted, Depends(_wanted)]


@router.get("/audit", summary="List what was changed", responses=errors(404))
@needs(About.EVERYTHING, Role.ADMIN)
async def list_audit(
    deps: Given, wanted: Filtered, page_size: PageSize = None, after: After = None
) -> Envelope[AuditPage]:
    """Each call that may have changed something, refused ones too, newest first; all filters have to fit."""
    before, size = paging.number_after(after), page_size or DEFAULT_PAGE_SIZE
    async with deps.db.read() as tx:
        rows = await audit.newest(tx, wanted, before=before, limit=size + 1)
        head = await audit.head(tx)
    return Envelope(
        data=AuditPage(
            rows=[AuditEntry.of(row) for row in rows[:size]],
            head=AuditHead.of(head),
            next_cursor=str(rows[size - 1].seq) if len(rows) > size else None,
        )
    )


@router.get(
    "/audit/export",
    summary="Export what was changed",
    response_class=StreamingResponse,
    responses={**_TEXT_LINES, **errors(404)},
)
@needs(About.EVERYTHING, Role.ADMIN)
async def export_audit(
    deps: Given,
    asked: Asked,
    wanted: Filtered,
    from_seq: Annotated[int, Query(alias="from", ge=1, lt=2**63, description="From this row on.")] = 1,
    limit: Annotated[int | None, Query(ge=1, lt=2**31, description="At most so many rows.")] = None,
) -> StreamingResponse:
    """The same rows as JSON lines, oldest first. Without filters they are the chain, and can be verified."""
    async with deps.db.read() as tx:
        first = await audit.oldest(tx, wanted, after=from_seq - 1, limit=_least(limit))
    return StreamingResponse(_lines(deps, asked, wanted, first, limit), media_type=LINES)


async def _lines(
    deps: Deps, asked: Access, wanted: Wanted, rows: list[AuditRow], limit: int | None
) -> AsyncIterator[str]:
    """Breaks off once the caller's token or session has ended: an end that looks like one would hide rows."""
    left = limit
    with credential_of(deps, asked) as ended:
        while rows:
            yield "".join(f"{json.dumps(row.wire(), separators=(',', ':'))}\n" for row in rows)
            left = None if left is None else left - len(rows)
            if left == 0 or len(rows) < _AT_ONCE:
                return
            async with deps.db.read() as tx:
                rows = await audit.oldest(tx, wanted, after=rows[-1].seq, limit=_least(left))
            if ended.is_set():
                raise unauthorized(deps, "The token or session has ended.")


def _least(left: int | None) -> int:
    return _AT_ONCE if left is None else min(left, _AT_ONCE)
