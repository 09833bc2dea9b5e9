"""The audit: who changed what."""

from typing import NotRequired, TypedDict


class AuditEntry(TypedDict):
    """A call that may have changed something. Texts are empty, and numbers 0, where there is nothing to say."""

    seq: int
    """Its place in the chain, from 1, without gaps."""
    time: str
    caller: str
    authenticated: str
    address: str
    method: str
    operation: str
    target: str
    cluster: str
    app: str
    task: str
    status: int
    code: int
    requestId: str
    key: str
    previous: str
    hash: str


class AuditHead(TypedDict):
    """The row that was appended last."""

    seq: int
    hash: str


class AuditPage(TypedDict):
    """Rows, newest first."""

    rows: list[AuditEntry]
    head: AuditHead
    nextCursor: NotRequired[str]
