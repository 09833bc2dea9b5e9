"""CronJobs: when they run, and what is left of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubesim.controllers.schedules import Schedule
from kubesim.jsondata import Object

from .conftest import World, template


def cron_job(**spec: Any) -> Object:
    pod = template("task:1", restartPolicy="Never")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {"schedule": "@yearly", "jobTemplate": {"spec": {"template": pod}}, **spec},
    }


@pytest.mark.parametrize(
    ("schedule", "after", "following"),
    [
        ("* * * * *", "2026-01-31T23:59", "2026-02-01T00:00"),
        ("*/15 * * * *", "2026-01-31T10:01", "2026-01-31T10:15"),
        ("30 2 * * *", "2026-01-31T02:30", "2026-02-01T02:30"),
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 9 * * MON-FRI", "2026-01-30T10:00", "2026-02-02T09:00"),
        ("0 0 13 * 5", "2026-01-31T00:00", "2026-02-06T00:00"),
        ("@daily", "2026-01-31T10:00", "2026-02-01T00:00"),
        ("5,10 1-2 * jan 7", "2026-01-31T10:00", "2027-01-03T01:05"),
        ("0 0 30 2 *", "2026-01-01T00:00", None),
    ],
)
def test_the_next_time_of_a_schedule(schedule: str, after: str, following: str | None) -> None:
    found = Schedule.parse(schedule).following(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert (found and found.strftime("%Y-%m-%dT%H:%M")) == following


@pytest.mark.parametrize("text", ["* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Schedule.parse(text)


def _due(world: World) -> None:
    """Let the CronJob have run last two years ago."""
    before = (datetime.now(UTC) - timedelta(days=800)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.merge("cronjobs", "tick", {"status": {"lastScheduleTime": before}}, subresource="status")


async def test_a_job_is_made_when_it_is_due(world: World) -> None:
    world.create(cron_job())
    _due(world)
    await world.settled()
    (job,) = world.all("jobs")
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("CronJob", "tick")
    status = (world.get("cronjobs", "tick") or {})["status"]
    assert (
        job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] == status["lastScheduleTime"]
    )
    assert status["lastSuccessfulTime"] == job["status"]["completionTime"]
    assert "active" not in status


async def test_none_is_made_while_it_is_suspended(world: World) -> None:
    world.create(cron_job(suspend=True))
    _due(world)
    await world.settled()
    assert world.all("jobs") == []
