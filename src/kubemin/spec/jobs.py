"""What a ``job`` and a ``cronjob`` say of their runs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.schedule import is_time_zone, wrong_with_schedule

if TYPE_CHECKING:
    from kubemin.spec.component import Properties

BACKOFF_LIMIT = 3
"""How often a Job is tried again where nothing is said."""

RestartPolicy = Literal["Never", "OnFailure"]
ConcurrencyPolicy = Literal["Allow", "Forbid", "Replace"]


def check_schedule(properties: "Properties", what: str, path: str) -> Iterator[Issue]:
    """What is wrong with when a ``cronjob`` runs."""
    if not properties.schedule:
        message = f"{what} does not say when it runs."
        yield Issue(f"{path}.schedule", IssueCode.MISSING_REQUIRED_FIELD, message)
    elif wrong := wrong_with_schedule(properties.schedule):
        message = f'{what}: the schedule "{properties.schedule[:80]}" {wrong}.'
        yield Issue(f"{path}.schedule", IssueCode.INVALID_FIELD_VALUE, message)
    if properties.time_zone and not is_time_zone(properties.time_zone):
        message = f'{what}: "{properties.time_zone[:80]}" is no time zone such as Europe/Berlin.'
        yield Issue(f"{path}.timeZone", IssueCode.INVALID_FIELD_VALUE, message)
