"""The CronJob controller: a Job whenever the schedule says so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import reference
from kubesim.controllers.schedules import Schedule
from kubesim.controllers.view import controller_of, is_deleting
from kubesim.jsondata import Object, copy_json, stamp, utc_now
from kubesim.problems import Problem
from kubesim.storage import EventType

_COMPONENT = "cronjob-controller"
_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobController(Controller):
    """Syncs CronJobs by namespace and name. The schedule is kept by the wall clock, at any speed."""

    watches = ("cronjobs", "jobs")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "cronjobs":
            self.enqueue(meta["namespace"], meta["name"])
        elif (owner := controller_of(obj)) is not None and owner["kind"] == "CronJob":
            self.enqueue(meta["namespace"], owner["name"])

    def sync(self, key: Key) -> None:
        found = self.view.get("cronjobs", key[0], key[1])
        if found is None:
            self.hub.forget(self, key)
            return
        if is_deleting(found):
            return
        jobs = self.view.controlled(found["metadata"]["uid"], "jobs")
        active = [job for job in jobs if not _outcome(job) and not is_deleting(job)]
        self._clean_up(found, jobs)
        last = self._run(key, found, active)
        self._write_status(key, last)

    def _run(self, key: Key, found: Object, active: list[Object]) -> str | None:
        """Make the Job that is due, if one is, and look again at the next time. Answers with the time it was due."""
        spec = found["spec"]
        try:
            schedule = Schedule.parse(spec["schedule"])
            zone = ZoneInfo(spec["timeZone"]) if spec.get("timeZone") else UTC
        except (ValueError, ZoneInfoNotFoundError):
            return None
        if spec.get("suspend"):
            return None
        now = utc_now()
        since = (found.get("status") or {}).get("lastScheduleTime") or found["metadata"]["creationTimestamp"]
        due = schedule.latest(_moment(since).astimezone(zone), now.astimezone(zone))
        following = schedule.following(now.astimezone(zone))
        if following is not None:
            self.hub.later((following - now).total_seconds() * self.hub.speed, self, key)
        deadline = spec.get("startingDeadlineSeconds")
        if due is None or (deadline is not None and due + timedelta(seconds=deadline) < now):
            return None
        policy = spec.get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and active:
            return None
        if policy == "Replace":
            for job in active:
                self.hub.delete("jobs", job, propagation="Background")
        return self._create(found, due.astimezone(UTC))

    def _create(self, found: Object, due: datetime) -> str:
        template, meta = found["spec"]["jobTemplate"], found["metadata"]
        source = template.get("metadata") or {}
        name = f"{meta['name']}-{int(due.timestamp()) // 60}"
        made: Object = {
            "name": name,
            "namespace": meta["namespace"],
            "labels": dict(source.get("labels") or {}),
            "annotations": {**(source.get("annotations") or {}), _SCHEDULED: stamp(due)},
            "ownerReferences": [reference(found)],
        }
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": made, "spec": copy_json(template["spec"])}
        try:
            self.hub.create("jobs", body)
        except Problem as problem:
            if problem.reason != "AlreadyExists":
                self._event(found, "Warning", "FailedCreate", f"Error creating job: {problem.message}")
                raise
        else:
            self._event(found, "Normal", "SuccessfulCreate", f"Created job {name}")
        return stamp(due)

    def _clean_up(self, found: Object, jobs: list[Object]) -> None:
        """Delete the oldest finished Jobs beyond the limits."""
        spec = found["spec"]
        for outcome, limit in (
            ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
            ("Failed", spec.get("failedJobsHistoryLimit", 1)),
        ):
            ended = [job for job in jobs if _outcome(job) == outcome and not is_deleting(job)]
            ended.sort(key=lambda job: (job.get("status") or {}).get("startTime", ""))
            for job in ended[: max(0, len(ended) - limit)]:
                self.hub.delete("jobs", job, propagation="Background")
                self._event(found, "Normal", "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")

    def _write_status(self, key: Key, last: str | None) -> None:
        found = self.view.get("cronjobs", key[0], key[1])
        if found is None:
            return
        before = found.get("status") or {}
        jobs = self.view.controlled(found["metadata"]["uid"], "jobs")
        active = [_pointer(job) for job in jobs if not _outcome(job) and not is_deleting(job)]
        ends = [(job.get("status") or {}).get("completionTime", "") for job in jobs if _outcome(job) == "Complete"]
        times = {
            "lastScheduleTime": last or before.get("lastScheduleTime"),
            "lastSuccessfulTime": max([*ends, before.get("lastSuccessfulTime") or ""]),
        }
        status: Object = {"active": active} if active else {}
        status |= {name: value for name, value in times.items() if value}
        self.hub.set_status("cronjobs", found, status)

    def _event(self, found: Object, kind: str, reason: str, message: str) -> None:
        self.hub.recorder.record(found, kind, reason, message, component=_COMPONENT)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _outcome(job: Object) -> str:
    """``Complete`` or ``Failed``; empty while the Job has not ended."""
    for found in (job.get("status") or {}).get("conditions") or ():
        if found["type"] in ("Complete", "Failed") and found["status"] == "True":
            return str(found["type"])
    return ""


def _pointer(job: Object) -> Object:
    meta = job["metadata"]
    return {
        "kind": "Job",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": "batch/v1",
        "resourceVersion": meta["resourceVersion"],
    }
