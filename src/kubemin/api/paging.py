"""Pages of lists: by number, or after the last row of the page before, which costs the same however far on."""

import re
from datetime import UTC, datetime

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError, FieldError
from kubemin.spec.ids import ID_LENGTH
from kubemin.store import applications
from kubemin.store.applications import ApplicationRow, Place

_PLACE = re.compile(rf"([0-9]{{1,11}}\.[0-9]{{1,6}})~([a-z0-9]{{{ID_LENGTH}}})")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def offset(page: int | None, size: int, after: str | None) -> int:
    """How many rows come before a page. Raises `ApiError` where both ways are asked for."""
    if page is not None and after is not None:
        raise _wrong("after cannot be given with page: it says itself where to go on.")
    return 0 if page is None else (page - 1) * size


def application_after(after: str | None) -> Place | None:
    """Where a list of applications goes on. Raises `ApiError`."""
    if after is None:
        return None
    match = _PLACE.fullmatch(after)
    if match is None:
        raise _unknown()
    return applications.Place(datetime.fromtimestamp(float(match[1]), UTC), match[2])


def application_cursor(row: ApplicationRow) -> str:
    """Says where a list goes on after this application, also when that is changed meanwhile."""
    return f"{row.updated_at.timestamp():.6f}~{row.id}"


def number_after(after: str | None) -> int | None:
    """Where a list that goes by numbers goes on. Raises `ApiError`.

    Nothing is looked up: so a cursor does not tell what there is, and counts also where its row is forgotten.
    """
    if after is not None and not _NUMBER.fullmatch(after):
        raise _unknown()
    return None if after is None else int(after)


def _unknown() -> ApiError:
    return _wrong("after must be the nextCursor of a page of this list.")


def _wrong(message: str) -> ApiError:
    return ApiError(
        400, ApiCode.VALIDATION, message, errors=[FieldError(field="after", code="INVALID_VALUE", message=message)]
    )
