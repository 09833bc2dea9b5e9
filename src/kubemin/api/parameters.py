"""Parameters of routes, declared once."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from pydantic import Field

from kubemin.api.auditing import noted
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Caller, Given
from kubemin.api.envelope import ApiError, FieldError
from kubemin.api.lookups import application_named, is_id, task_named
from kubemin.api.once import KEY, LONGEST, removal_by_key
from kubemin.engine.errors import AppNotFound

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000

TEXT = r"^[^\x00-\x1f\x7f]*$"
"""What may be a text in a query: a database need not take every character."""


async def _application(
    request: Request,
    deps: Given,
    caller: Caller,
    app_id: Annotated[
        str,
        Path(
            description="Id of the application, `namespace~name`, or `cluster~namespace~name`.",
            examples=["5be479caf0c09a3b1ddc133b"],
        ),
    ],
) -> str:
    if is_id(app_id):
        return app_id  # nothing to ask the database for
    async with deps.db.read() as tx:
        try:
            found = await application_named(tx, app_id)
        except AppNotFound:
            removal = await removal_by_key(tx, request, caller, app_id)
            if removal is None:
                raise
            found = removal.app_id
    noted(request.scope).app = found
    return found


async def _task(
    request: Request,
    deps: Given,
    task_id: Annotated[
        str,
        Path(
            description="Id of the task, or a unique beginning of it; or an application, which means its latest task.",
            examples=["m8d2h5s0r4f7j1l9p3u6e0xb"],
        ),
    ],
) -> str:
    if is_id(task_id):
        return task_id
    async with deps.db.read() as tx:
        found = await task_named(tx, task_id)
    noted(request.scope).task = found
    return found


AppId = Annotated[str, Depends(_application)]
TaskId = Annotated[str, Depends(_task)]
Page = Annotated[int | None, Query(ge=1, le=1_000_000, description="Which page, from 1.")]
PageSize = Annotated[int | None, Query(alias="pageSize", ge=1, le=MAX_PAGE_SIZE, description="How many a page.")]
After = Annotated[
    str | None,
    Query(max_length=64, pattern=TEXT, description="Go on after this, the `nextCursor` of a page; not with `page`."),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=200, description="The `ETag` of an earlier reply.")
]
Search = Annotated[
    str | None, Query(max_length=200, pattern=TEXT, description="A part of the name, alias, namespace or project.")
]
Exactly = Annotated[str | None, Query(max_length=255, pattern=TEXT, description="Only those for which it is this.")]

DeleteVolumes = Annotated[
    bool, Query(alias="deleteVolumes", description="Delete volume claims too: their data is lost.")
]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST,
        pattern=KEY,
        description="The same key gives the same task, however often it is sent.",
    ),
]

_MOMENT = r"^([0-9]{1,11}|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+ -][0-9:]+)?)?)$"
"""For the document; what does not match is refused by `moment_of`, with words."""

Since = Annotated[
    Annotated[str, Field(json_schema_extra={"pattern": _MOMENT})] | None,
    Query(
        description="Created then or later: RFC 3339, a date, or unix seconds.",
        examples=["2026-01-31T12:00:00Z"],
    ),
]


Until = Annotated[
    Annotated[str, Field(json_schema_extra={"pattern": _MOMENT})] | None,
    Query(description="Before then: RFC 3339, a date, or unix seconds.", examples=["2026-02-28T12:00:00Z"]),
]


def moment_of(text: str, field: str = "since") -> datetime:
    """The moment that a :data:`Since` means, in UTC unless it says otherwise. Raises :class:`ApiError`."""
    try:
        if not re.fullmatch(_MOMENT, text):
            raise ValueError(text)
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        head, _, offset = text[10:].rpartition(" ")  # a plus sign that was not escaped arrives as a blank
        moment = datetime.fromisoformat(f"{text[:10]}{head}+{offset}" if head else text)
    except (ValueError, OverflowError, OSError) as error:
        message = f"{field} must be a moment: RFC 3339, a date, or unix seconds."
        wrong = FieldError(field=field, code="INVALID_VALUE", message=message)
        raise ApiError(400, ApiCode.VALIDATION, wrong.message, errors=[wrong]) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
