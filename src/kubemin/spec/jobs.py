"""What a ``job`` and a ``cronjob`` say of their runs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.schedule import is_time_zone, wrong_with_schedule

if TYPE_CHECKING:
    from kubemin.spec.component import Properties

BACKOFF_LIMIT = 3
"""How often a Job is tried again where nothing is said."""

RESTART_POLICIES = ("Never", "OnFailure")
CONCURRENCY_POLICIES = ("Allow", "Forbid", "Replace")


def check_runs(properties: "Properties", what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the fields of a job's runs, and of when they begin."""
    for field, alias, known in (
        ("restart_policy", "restartPolicy", RESTART_POLICIES),
        ("concurrency_policy", "concurrencyPolicy", CONCURRENCY_POLICIES),
    ):
        given = getattr(properties, field)
        if given and given not in known:
            sentence = f'{what}: "{given[:80]}" is no {alias}'
            yield Issue.of_word(f"{path}.{alias}", IssueCode.INVALID_FIELD_VALUE, sentence, given, known)
    for field, alias, least in (
        ("backoff_limit", "backoffLimit", 0),
        ("active_deadline_seconds", "activeDeadlineSeconds", 1),
        ("starting_deadline_seconds", "startingDeadlineSeconds", 0),
        ("successful_jobs_history_limit", "successfulJobsHistoryLimit", 0),
        ("failed_jobs_history_limit", "failedJobsHistoryLimit", 0),
    ):
        number = getattr(properties, field)
        if number is not None and number < least:
            message = f"{what}: {alias} cannot be less than {least}."
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_FIELD_VALUE, message)


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
