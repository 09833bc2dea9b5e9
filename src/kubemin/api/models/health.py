"""Health on the wire."""

from typing import Literal, Self

from pydantic import Field

from kubemin.api.models.base import Reply


class Alive(Reply):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class CheckReply(Reply):
    """One part that the server stands on."""

    name: str
    status: Literal["ok", "down"]
    message: str


class Readiness(Reply):
    """``degraded``: the API serves from its database, but what is named here is away."""

    status: Literal["ready", "degraded"]
    secrets: Literal["sealed", "plain"] = Field(
        description="How secrets are stored in the database: sealed with a key, or in plain text as none is given."
    )
    checks: list[CheckReply]

    @classmethod
    def of(cls, checks: list[CheckReply], *, sealed: bool) -> Self:
        """What these checks come to."""
        degraded = any(one.status == "down" for one in checks)
        status: Literal["ready", "degraded"] = "degraded" if degraded else "ready"
        return cls(status=status, secrets="sealed" if sealed else "plain", checks=checks)
