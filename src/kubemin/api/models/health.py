"""Health on the wire."""

from typing import Literal

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
    checks: list[CheckReply]
