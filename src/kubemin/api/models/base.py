"""What all models of the wire share: camelCase out, camelCase and snake_case in."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from kubemin.spec.model import Absent

__all__ = ["Absent", "Body", "Line", "Name", "NextCursor", "Reply", "Timestamp", "unix"]


class Reply(BaseModel):
    """Data of a reply."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Body(Reply):
    """Body of a request: a field that is not known is an error, and so is ``"false"`` for ``false``."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Timestamp = Annotated[datetime, AfterValidator(_utc)]
"""RFC 3339 in UTC."""


NextCursor = Annotated[Absent[str], Field(description="Asks for the next page, as `after`; absent on the last one.")]


def unix(moment: datetime | None) -> int | None:
    """Whole unix seconds, as the status of a task has them."""
    return None if moment is None else int(moment.timestamp())


Line = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Free text of one line."""
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
