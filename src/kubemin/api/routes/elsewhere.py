"""Routes that older clients try and that lie elsewhere: 501, with the address that does it.

They are signposts, not a part of the API: the OpenAPI document leaves them out.
"""

from typing import NoReturn

from fastapi import APIRouter

from kubemin.api.access import About, needs
from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError

router = APIRouter(include_in_schema=False)


def _elsewhere(path: str) -> NoReturn:
    raise ApiError(
        501, ApiCode.NOT_IMPLEMENTED, f"Not implemented here: use POST /api/v1/applications/{{id}}{path} instead."
    )


@router.post("/workflow")
@needs(About.ANYBODY)
async def workflow_elsewhere() -> None:
    """Workflows are created below their application."""
    _elsewhere("/workflow")


@router.post("/workflow/exec")
@needs(About.ANYBODY)
async def exec_elsewhere() -> None:
    """Workflows are run below their application."""
    _elsewhere("/workflow/exec")


@router.post("/workflow/cancel")
@needs(About.ANYBODY)
async def cancel_elsewhere() -> None:
    """Tasks are cancelled below their application."""
    _elsewhere("/workflow/cancel")
