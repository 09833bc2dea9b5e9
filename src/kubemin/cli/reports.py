"""Commands that look at what the server has, and the small ones that change it."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from kubemin.cli.asking import confirm, is_asked
from kubemin.cli.by_code import advice, hold
from kubemin.cli.cells import padded
from kubemin.cli.cleanup_text import named, numbers
from kubemin.cli.connection import Connection
from kubemin.cli.ending import warnings_of
from kubemin.cli.exits import Exit
from kubemin.cli.follow import follow as follow_task
from kubemin.cli.interrupts import Interrupts
from kubemin.cli.language import aside, because, key, tr, trn
from kubemin.cli.listing import listed
from kubemin.cli.output import Output, ago, moment, say, span
from kubemin.client.sync import Client
from kubemin.spec.names import DEFAULT_CLUSTER, shown
from kubemin.spec.states import TaskStatus

_LABEL = 10
"""Columns of what stands before a line of a task."""

if TYPE_CHECKING:
    from kubemin.client.replies import OrphanList, Stage, Task, TaskCleanup


def apps(to: Connection, *, search: str | None = None, cluster: str | None = None) -> None:
    """List the applications."""
    with to.client() as client:
        found = listed(
            "applications",
            None,
            lambda size, after: client.applications(search=search, cluster=cluster, page_size=size, after=after),
        )
    if to.output.printed(
        found, [shown(one["cluster"], one["namespace"], one["name"]) for one in found["applications"]]
    ):
        return
    rows = [
        (
            one["id"],
            one["namespace"],
            one["name"],
            one["overview"]["health"] if "overview" in one else "-",
            one["version"] or "-",
            moment(one["updateTime"]),
            one["cluster"],
            one.get("alias") or "-",
            one.get("description") or "-",
        )
        for one in found["applications"]
    ]
    columns = (
        key("id"),
        key("namespace"),
        key("name"),
        key("state"),
        key("version"),
        key("updated"),
        key("cluster"),
        key("alias"),
        key("description"),
    )
    alone = all(one["cluster"] == DEFAULT_CLUSTER for one in found["applications"])
    wide = ("cluster", "alias", "description") if alone else ("alias", "description")
    to.output.table(columns, rows, key("no applications"), wide=wide)


def tasks(
    to: Connection, limit: int, *, app: str | None = None, cluster: str | None = None, status: str | None = None
) -> None:
    """List tasks, newest first."""
    with to.client() as client:
        found = listed(
            "tasks",
            limit,
            lambda size, after: client.tasks(app=app, cluster=cluster, status=status, page_size=size, after=after),
        )
    if to.output.printed(found, [one["taskId"] for one in found["tasks"]]):
        return
    rows = [
        (
            one["taskId"],
            one["status"],
            one["cleanup"],
            ago(one["createTime"], time.time()),
            one["type"],
            one["appId"],
            moment(one["createTime"]),
            moment(one.get("endTime")),
            one["name"],
            one["cluster"],
        )
        for one in found["tasks"]
    ]
    columns = (
        key("task"),
        key("status"),
        key("cleanup"),
        key("age"),
        key("type"),
        key("application id"),
        key("created"),
        key("ended"),
        key("application"),
        key("cluster"),
    )
    alone = all(one["cluster"] == DEFAULT_CLUSTER for one in found["tasks"])
    wide = ("type", "application id", "created", "ended", *(("cluster",) if alone else ()))
    to.output.table(columns, rows, key("no tasks"), wide=wide)


def clusters(to: Connection) -> int:
    """List the clusters; 1 when one of them does not answer the server."""
    with to.client() as client:
        found = client.clusters()
    if not to.output.printed(found, [one["name"] for one in found["clusters"]]):
        rows = [
            (
                one["name"],
                tr("yes") if one["reachable"] else tr("no"),
                one["version"] or "-",
                one["waiting"],
                one["running"],
                one["cleanups"],
                len(one["workers"]),
            )
            for one in found["clusters"]
        ]
        columns = (
            key("cluster"),
            key("answers"),
            key("version"),
            key("waiting"),
            key("running"),
            key("cleanups"),
            key("workers"),
        )
        to.output.table(columns, rows, key("no clusters"))
        for one in found["clusters"]:
            if one["message"]:
                say(because(one["name"], one["message"]))
            elif not one["workers"]:
                say(because(one["name"], tr("no worker serves it: its tasks wait")))
    return Exit.OK if all(one["reachable"] for one in found["clusters"]) else Exit.FAILED


def status(task_id: str, to: Connection, *, follow: bool) -> int:
    """Show a task; followed, the exit code is that of its end."""
    with to.client() as client:
        if follow:
            with Interrupts() as interrupts:
                progress, ending = follow_task(client, task_id, to.output, interrupts)
            if not to.output.printed(ending.task, [progress.task_id]):
                ending.tell(to.output)
            return progress.exit
        found = client.task(task_id)
        if not to.output.printed(found, [found["taskId"]]):
            going = [] if TaskStatus(found["status"]).ended else _going(client, found["taskId"])
            if to.output.quiet:
                say(found["status"])
            else:
                _print_status(found, going, to.output)
        return Exit.OK


def _going(client: Client, task_id: str) -> list[str]:
    """What each job that runs waits for."""
    found = client.stages(task_id)["stages"]
    running = [one for one in found if one["status"] == "running" and one.get("info")]
    return [because(one["name"], hold(_without_name(one))) for one in running]


def _without_name(stage: "Stage") -> str:
    """What is said of a job's object, without its name, which is in the job's."""
    return str(stage["info"].removeprefix(f"{stage['type']} {stage['name'].rpartition('/')[2]}: "))


def _print_status(task: "Task", going: Sequence[str], output: Output) -> None:
    about = tr(
        "{type} of {application}, attempt {attempt}",
        type=task["type"],
        application=task["appId"],
        attempt=task["attempt"],
    )
    _say(tr("task"), aside(task["taskId"], about))
    _say(tr("status"), because(task["status"], task["reason"]))
    if "reasonCode" in task:
        _say(tr("code"), because(task["reasonCode"], advice(task)))
    if task["cancelledBy"]:
        say(tr("cancelled by {who}", who=task["cancelledBy"]))
    for other in task.get("queuedBehind", ()):
        _say(tr("behind"), tr("task {task}, which is before it in the queue", task=other))
    if "waitsBecause" in task:
        _say(tr("waits"), task["waitsBecause"])
    if "hold" in task:
        waits = because(task["hold"]["name"], hold(task["hold"]["info"]))
        _say(tr("hold"), tr("{waits}; kubemin promote {task}", waits=waits, task=task["taskId"]))
    _print_cleanup(task, task["cleanup"])
    if task.get("evidence"):
        _say(tr("evidence"), because(", ".join(task["evidence"]), f"kubemin logs {task['taskId']}"))
    _say(tr("created"), moment(task["createTime"]) + _spent(task))
    say()
    _print_components(task, output)
    for line in going:
        say(tr("waiting: {what}", what=line))
    for line in warnings_of(task):
        say(tr("warning: {what}", what=line))


def _say(label: str, text: str) -> None:
    say(padded(label, _LABEL) + text)


def _spent(task: "Task") -> str:
    spent = span(task.get("startTime"), task.get("endTime"), time.time())
    if "endTime" in task:
        return tr(", took {time}", time=spent)
    return tr(", running for {time}", time=spent) if "startTime" in task else ""


def _print_cleanup(task: "Task", cleanup: "TaskCleanup") -> None:
    counted = numbers(cleanup, created=True)
    what = tr("removal") if task["status"] == "completed" else tr("cleanup")
    _say(what, aside(cleanup["state"], counted))
    for one in cleanup.get("volumes", []):
        _say(f"  {tr('volume')}", because(named(one), one["why"]))
    for one in cleanup["remaining"]:
        _say(f"  {tr('left')}", because(named(one), one["why"]))
    if "abandoned" in cleanup:
        say(f"  {cleanup['abandoned']}")
    for one in cleanup.get("exceptions", []):
        _say(f"  {tr('except')}", because(named(one), one["why"]))
    if cleanup["state"] == "incomplete":
        next_time = cleanup.get("nextTime")
        again = tr("again at {time}", time=moment(next_time)) if next_time else tr("not tried again by itself")
        times = trn("once", "{count} times", cleanup["attempts"])
        _say(
            f"  {tr('tried')}",
            tr("{times}, {again}; now: kubemin cleanup {task}", times=times, again=again, task=task["taskId"]),
        )


def _print_components(task: "Task", output: Output) -> None:
    rows = [
        (one["name"], one["type"], one["status"], span(one.get("startTime"), one.get("endTime"), time.time()))
        for one in task["components"]
    ]
    output.table((key("component"), key("type"), key("status"), key("age")), rows, key("no components"))
    for part in task["components"]:
        if part["error"]:
            code = f" ({part['reasonCode']})" if "reasonCode" in part else ""
            say(because(part["name"], part["error"] + code))


def resources(task_id: str, to: Connection) -> None:
    """Show the journal of a task."""
    with to.client() as client:
        found = client.resources(task_id)
    if to.output.printed(found, [named(one) for one in found["resources"]]):
        return
    rows = [
        (
            one["seq"],
            one["kind"],
            one["namespace"] or "-",
            one["name"],
            one["state"],
            one.get("uid") or "-",
            moment(one.get("at")),
            one["why"] or "",
        )
        for one in found["resources"]
    ]
    columns = (
        key("seq"),
        key("kind"),
        key("namespace"),
        key("name"),
        key("state"),
        key("uid"),
        key("at"),
        key("why"),
    )
    to.output.table(columns, rows, key("the task has touched nothing"), wide=("uid", "at"))


_AT_ONCE = 1000
"""Orphans that one request names: its address has a limit."""


def orphans(to: Connection, *, delete: bool, volumes: bool, yes: bool, cluster: str | None = None) -> int:
    """List what no task accounts for in a cluster, and with ``delete`` delete it; 1 when one was not deleted.

    Whoever sits at a terminal is asked first, unless ``yes``.
    """
    asks = is_asked(to.output, yes=yes or not delete, instead=tr("give --yes to delete what orphans alone lists"))
    with to.client() as client:
        found = client.orphans(cluster=cluster)
        if not to.output.is_data:
            _print_orphans(found, "why", to.output)
        if delete and found["orphans"]:
            if asks and not confirm(tr(_QUESTION, count=len(found["orphans"]))):
                say(tr("nothing was deleted"))
                return Exit.OK
            found = _delete(client, [one["uid"] for one in found["orphans"]], volumes=volumes, cluster=cluster)
            if not to.output.is_data:
                say()
                _print_orphans(found, "error", to.output)
    to.output.printed(found, [named(one) for one in found["orphans"]])
    return Exit.FAILED if any(one["error"] for one in found["orphans"]) else Exit.OK


_QUESTION = key(
    "To a server with an empty or another database everything that was ever deployed is an orphan, also what runs "
    "well. Delete these {count}?"
)


def _delete(client: Client, uids: Sequence[str], *, volumes: bool, cluster: str | None) -> "OrphanList":
    """Delete what was listed, and nothing that came since."""
    done: list[Any] = []
    for start in range(0, len(uids), _AT_ONCE):
        some = uids[start : start + _AT_ONCE]
        done += client.delete_orphans(some, delete_volumes=volumes, cluster=cluster)["orphans"]
    return {"orphans": done}


def _print_orphans(found: "OrphanList", last: 'Literal["why", "error"]', output: Output) -> None:
    """One line an orphan; ``last`` is ``why`` it is one, or the ``error`` of its deletion."""
    rows = [
        (one["kind"], one["namespace"] or "-", one["name"], one["taskId"] or "-", one[last] or tr("deleted"))
        for one in found["orphans"]
    ]
    end = key("why") if last == "why" else key("outcome")
    output.table((key("kind"), key("namespace"), key("name"), key("task"), end), rows, key("no orphans"))
