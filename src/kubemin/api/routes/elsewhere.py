"""Routes that older clients try and that lie elsewhere: 501, with the address that does it."""

from typing import NoReturn

from fastapi import APIRouter

from kubemin.api.codes import Code
from kubemin.api.envelope import ApiError, Envelope
from kubemin.api.openapi import errors

router = APIRouter(tags=["Elsewhere"])


def _elsewhere(verb: str, path: str) -> NoReturn:
    raise ApiError(501, Code.NOT_IMPLEMENTED, f"Not implemented here: use {verb} {path} instead.")


@router.post("/workflow", responses=errors(501), summary="See /applications/{id}/workflow", deprecated=True)
async def workflow_elsewhere() -> Envelope[None]:
    """Workflows are created below their application."""
    _elsewhere("POST", "/api/v1/applications/{id}/workflow")


@router.post("/workflow/exec", responses=errors(501), summary="See /applications/{id}/workflow/exec", deprecated=True)
async def exec_elsewhere() -> Envelope[None]:
    """Workflows are run below their application."""
    _elsewhere("POST", "/api/v1/applications/{id}/workflow/exec")


@router.post(
    "/workflow/cancel", responses=errors(501), summary="See /applications/{id}/workflow/cancel", deprecated=True
)
async def cancel_elsewhere() -> Envelope[None]:
    """Tasks are cancelled below their application."""
    _elsewhere("POST", "/api/v1/applications/{id}/workflow/cancel")
