"""The audit on the wire."""

from typing import Self

from pydantic import Field

from kubemin.api.models.base import NextCursor, Reply
from kubemin.spec.audit import Checkpoint
from kubemin.store.audit import AuditRow


class AuditEntry(Reply):
    """A call that may have changed something. Texts are empty, and numbers 0, where there is nothing to say."""

    seq: int = Field(description="Its place in the chain, from 1, without gaps.")
    time: str = Field(
        description="When it was answered, by the database's clock.", json_schema_extra={"format": "date-time"}
    )
    caller: str = Field(description="`system` without authentication; `-` where it was refused before that was known.")
    authenticated: str = Field(description="How the caller was.")
    address: str = Field(description="Where the call came from.")
    method: str
    operation: str = Field(description="As `operationId` in the OpenAPI document; `none`: there is no such address.")
    target: str = Field(description="What the call named, as it named it.")
    cluster: str = Field(description="The cluster that it was about, as far as that is known.")
    app: str = Field(description="Id of the application.")
    task: str = Field(description="Id of the task; of a run that which came of it.")
    status: int = Field(description="0: it was not answered, as the client went away, or the server stopped.")
    code: int = Field(description="The business code of the reply.")
    request_id: str = Field(description="`X-Request-Id` of the reply.")
    key: str = Field(description="Which key the hash is under; empty: none.")
    previous: str = Field(description="The hash of the row before.")
    hash: str = Field(description="Over this row, and the one before.")

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """The row on the wire."""
        return cls(**row.wire())


class AuditHead(Reply):
    """The row that was appended last; 0 where there is none."""

    seq: int
    hash: str

    @classmethod
    def of(cls, place: Checkpoint) -> Self:
        """On the wire."""
        return cls(seq=place.seq, hash=place.hash)


class AuditPage(Reply):
    """Rows, newest first."""

    rows: list[AuditEntry]
    head: AuditHead = Field(description="The row that was appended last, of all: a checkpoint.")
    next_cursor: NextCursor = None
