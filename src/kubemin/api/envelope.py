"""The one shape of every reply: ``{"code", "message", "data"}``, and ``errors`` beside it when something was wrong."""

from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse  # a worker's port answers in this shape too, without FastAPI

from kubemin.api.codes import ApiCode
from kubemin.spec.issues import Issue
from kubemin.spec.model import Absent

T = TypeVar("T")


class FieldError(BaseModel):
    """One thing that is wrong with the request, and where; of an unknown word also which are known there."""

    field: str
    code: str
    message: str
    nearest: Absent[str] = Field(default=None, description="The known word that is most like the one that was given.")
    allowed: Absent[list[str]] = Field(default=None, description="The words that are known there.")

    @classmethod
    def of(cls, issue: Issue) -> Self:
        """The issue on the wire."""
        return cls(**issue.to_json())


class Envelope(BaseModel, Generic[T]):
    """A reply of status 2xx. ``message`` is another sentence where a request came too late to do anything."""

    code: Literal[0] = 0
    message: str = "success"
    data: T


class ErrorEnvelope(BaseModel):
    """A reply of status 4xx or 5xx: a business code other than 0 and a sentence for a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["code", "message", "data"],
            "properties": {"code": {"not": {"const": 0}}},
        }
    )

    code: int
    message: str
    data: None = None
    errors: list[FieldError] | None = None


class ApiError(Exception):
    """A request that ends in an error reply. The only exception that the handlers of ``routes`` raise themselves."""

    def __init__(
        self,
        status: int,
        code: ApiCode,
        message: str,
        *,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.headers = headers

    def response(self) -> JSONResponse:
        """The reply in the envelope."""
        content: dict[str, Any] = {"code": int(self.code), "message": self.message, "data": None}
        if self.errors:
            content["errors"] = [error.model_dump() for error in self.errors]
        return JSONResponse(content, status_code=self.status, headers=self.headers)
