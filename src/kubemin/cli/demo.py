"""``kubemin demo``: the promise, shown to a person in under a minute, and checked as it goes.

A server of its own (`kubemin dev`: SQLite, in-process signals, a simulated cluster), a cluster that is not empty, a
real application; cancelled in the middle; compared field by field with what was there before; deployed again.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubemin.cli import snapshot
from kubemin.cli.cleanup_text import numbers
from kubemin.cli.exits import CliError
from kubemin.cli.files import load_application
from kubemin.cli.follow import cancel
from kubemin.cli.language import because, key, tr
from kubemin.cli.output import say
from kubemin.cli.progress import Progress
from kubemin.cli.simulate import load_simulator
from kubemin.cli.snapshot import Snapshot
from kubemin.client import Client
from kubemin.cluster import Cluster, requests
from kubemin.cluster.answers import object_in
from kubemin.engine.objects.diff import Hidden, differences, format_difference
from kubemin.spec.objects import Manifest, ObjectRef

if TYPE_CHECKING:
    from kubemin.client.replies import ResourceEvent, Task

REASON = "wrong version: stop it"
_CONFIG = "shop-settings"
_INTRODUCTION = (
    key(
        "However a task ends, the cluster is as it was, or as it was asked to be. Here is one that is cancelled in the "
        "middle."
    ),
    key(
        '(On a simulated cluster of its own: nothing of yours is touched, and nothing is left behind. "…" stands for '
        "the\napplication's id.)\n"
    ),
)
_TELLING = ("data.", "spec.replicas", "spec.template.spec.containers[worker].image")
"""The changed fields that are shown; labels, probes and the like go without saying."""

_ENOUGH = 12
"""How many objects the task has made or changed when it is cancelled: in the middle of the deploy."""


def run() -> None:
    """Run the demo. Raises :class:`CliError` if anything is not as promised."""
    load_simulator()  # the server would refuse, too, but in its log
    signal.signal(signal.SIGINT, signal.default_int_handler)  # its server and its folder go with it
    started = time.monotonic()
    for sentence in _INTRODUCTION:
        say(tr(sentence))
    with tempfile.TemporaryDirectory(prefix="kubemin-demo-") as folder, _server(Path(folder)) as (server, cluster_url):
        asyncio.run(_show(server, cluster_url))
    spent = f"{time.monotonic() - started:.0f}"
    _title(tr("All of it held, in {seconds} s.", seconds=spent))


async def _show(server: str, cluster_url: str) -> None:
    application = load_application(str(_application()))
    for component in application["component"]:
        if component["name"] == "frontend":
            component["image"] += "-slow-3"  # the simulated Pod is ready after 3 s: time to change one's mind
    with Client(server) as client:
        async with _cluster(cluster_url) as cluster:
            app = client.save(application)
            _title(tr("1. A cluster that is not empty"))
            deployment = await _furnish(cluster, app["id"])
            before = await snapshot.take(cluster)

            _title(tr("2. Deploy the application, and cancel it in the middle"))
            _tell(tr("with `adopt`: two of its objects are there already, and would stop it before it wrote anything"))
            task = client.execute(app["id"], adopt=True)["taskId"]
            _follow(client, task, until=lambda rows: _far_enough(rows, deployment))
            _insist(
                _show_changes(before, await snapshot.take(cluster)) >= _ENOUGH, tr("the deploy had not come far enough")
            )
            cancel(client, task, REASON)
            _tell(tr('now somebody cancels it: "{reason}"', reason=REASON))

            _title(tr("3. The rollback, resource by resource"))
            _follow_cleanup(client, task)

            _title(tr("4. Compare the cluster with what it was"))
            _compare(before, await snapshot.take(cluster))

            _title(tr("5. Deploy it again, to completion"))
            task = client.execute(app["id"], adopt=True)["taskId"]
            _follow_components(client, task)
            await _check_complete(client, cluster, task, before)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, str]]:
    """`kubemin dev` on free ports; its address, and that of its simulated cluster."""
    command = [sys.executable, "-m", "kubemin", "dev", "--port", "0", "--database", f"sqlite:///{folder}/demo.db"]
    # Settings of the person's own, a real cluster above all, are none of the demo's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBEMIN_")}
    say("$ kubemin dev")
    log = folder / "server.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process,  # noqa: S603
    ):
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                urls = re.findall(r"http://[\w.:]+", said)
                if len(urls) > 1 and "kubectl" not in line:
                    yield urls[-1], next(url for url in urls if url != urls[-1])
                    return
            raise CliError(because(tr("the server did not start"), said + log.read_text()))
        finally:
            process.terminate()
            process.wait()


@asynccontextmanager
async def _cluster(url: str) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect(kubeconfig=None, context=None, url=url)
    try:
        yield cluster
    finally:
        await cluster.aclose()


async def _furnish(cluster: Cluster, app_id: str) -> ObjectRef:
    """A ConfigMap and an older Deployment of the names that the application uses, made by somebody else."""
    config: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _CONFIG, "namespace": "default", "labels": {"team": "shop"}},
        "data": {"CURRENCY": "USD", "ADDED_BY_HAND": "do not touch"},
    }
    labels = {"app.kubernetes.io/name": "worker", "kubemin.io/app-id": app_id}
    deployment: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop-worker", "namespace": "default", "annotations": {"owner": "ops"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "worker", "image": "shop-worker:0.9"}]},
            },
        },
    }
    for manifest in (config, deployment):  # not by `Cluster.create`: then they would be KubeMin's own
        request = replace(requests.create(manifest), query=(("fieldManager", "ops"),))
        object_in(request, await cluster.raw(request))
    ref = ObjectRef.of(deployment)
    while (await cluster.get(ref)).get("status", {}).get("availableReplicas") != 2:  # noqa: ASYNC110  a Deployment's
        await asyncio.sleep(0.1)
    before = tr(
        "{object} was there before: {what}",
        object=f"ConfigMap/default/{_CONFIG}",
        what="CURRENCY=USD, ADDED_BY_HAND=do not touch",
    )
    _tell(before)
    _tell(tr("{object} was there before: {what}", object=ref, what=tr("shop-worker:0.9, 2 of 2 available")))
    return ref


def _far_enough(rows: "Sequence[ResourceEvent]", deployment: ObjectRef) -> bool:
    done = [row for row in rows if row["state"] in ("created", "changed")]
    changed = {row["name"] for row in done if row["state"] == "changed"}
    return len(done) >= _ENOUGH and {_CONFIG, deployment.name} <= changed


def _follow(client: Client, task: str, until: "Callable[[Sequence[ResourceEvent]], bool]") -> None:
    """Print what the task makes and changes, until the condition on its journal holds, or it ends."""
    rows: list[ResourceEvent] = []
    for event in client.events(task):
        if event["type"] == "resource":
            rows.append(event)
            if event["state"] != "observed":  # found there: it is changed next
                there = f"  ({tr('it was there before')})" if event["state"] == "changed" else ""
                say(f"  {event['state']:<9} {_name(event)}{there}")
        if until(rows):
            return


def _follow_components(client: Client, task: str) -> None:
    """Print each component as it is complete, until the task ends."""
    progress = Progress(task)
    progress.load(client.task(task), client.stages(task))
    done: set[str] = set()
    for event in client.events(task):
        progress.take(event, time.time())
        if event["type"] != "job":
            continue
        one = progress.components[progress.jobs[event["job"]].component]
        if one.name not in done and _all_ended(progress, one.name):
            say(
                f"  {one.status} {one.type:<10} {one.name}"
                + (f"  {tr('{count} ready', count=one.ready)}" if one.ready else "")
            )
            done.add(one.name)


def _all_ended(progress: Progress, component: str) -> bool:
    return all(job.ended_shown for job in progress.jobs.values() if job.component == component)


def _show_changes(before: Snapshot, there: Snapshot) -> int:
    """Print how the cluster differs from before; returns how many objects are new."""
    new = len(there.keys() - before.keys())
    _tell(
        tr("so far {count} objects are new, with what the controllers made of them, and two have changed:", count=new)
    )
    for ref in sorted(before.keys() & there.keys()):
        for path, old, now in differences(before[ref], there[ref]):
            if ref.kind != "ReplicaSet" and path.startswith(_TELLING):
                say(f"    {ref.kind} {format_difference(path, old, now, Hidden(ref.kind))}")
    return new


def _follow_cleanup(client: Client, task: str) -> None:
    ended = False
    for event in client.events(task):
        ended = ended or (event["type"] == "task" and event["status"] == "cancelled")
        if ended and event["type"] == "resource":
            say(f"  {event['state']:<9} {_name(event)}" + (f"  ({event['why']})" if event["why"] else ""))
    status = client.task(task)
    cleanup = status["cleanup"]
    outcome = tr(
        "task {status} by {who}, reason: {reason}",
        status=status["status"],
        who=status["cancelledBy"],
        reason=status["reason"],
    )
    _tell(f"{outcome}; {because(tr('cleanup {state}', state=cleanup['state']), numbers(cleanup))}")
    _insist(status["status"] == "cancelled" and status["reason"] == REASON, tr("the task is not cancelled as asked"))
    _insist(
        cleanup["state"] == "done",
        tr("the cleanup is {state}: {left}", state=cleanup["state"], left=cleanup["remaining"]),
    )
    _insist(cleanup["restored"] + cleanup["unchanged"] == 2, tr("the two objects from before are not both put back"))
    _insist(not cleanup["exceptions"], tr("not all is as it was: {left}", left=cleanup["exceptions"]))


def _compare(before: Snapshot, after: Snapshot) -> None:
    _insist(not (wrong := snapshot.differences(before, after)), "; ".join(wrong))
    fields = snapshot.fields(list(before.values()))
    _tell(tr("{objects} objects, {fields} fields: identical", objects=len(before), fields=fields))
    _tell(
        tr("Not compared is what only counts up (resourceVersion, generation, revision, the times in managedFields),")
    )
    _tell(tr("and what controllers report of it (status)."))


async def _check_complete(client: Client, cluster: Cluster, task: str, before: Snapshot) -> None:
    status = client.task(task)
    _insist(
        status["status"] == "completed",
        tr("the second deploy is {status}: {why}", status=status["status"], why=status["reason"]),
    )
    made = client.resources(task)["resources"]
    for row in made:
        ref = ObjectRef(row["kind"], row["namespace"], row["name"])
        _insist(
            (await cluster.get(ref))["metadata"]["uid"] == row["uid"],
            tr("{object} is not the one that was deployed", object=ref),
        )
    after = await snapshot.take(cluster)
    config = after[ObjectRef("ConfigMap", "default", _CONFIG)]["data"]
    _insist(
        config["CURRENCY"] == "EUR" and config["ADDED_BY_HAND"] == "do not touch",
        tr("{object} holds {what}", object=_CONFIG, what=config),
    )
    count = len(made)
    _insist(count >= 20, tr("only {count} resources were deployed", count=count))
    said = tr(
        "completed: {count} resources, every component {states}; ADDED_BY_HAND is still there",
        count=count,
        states=_states(status),
    )
    _tell(said)
    _insist(
        all(component["status"] == "completed" for component in status["components"]), tr("a component is not complete")
    )
    _insist(before.keys() <= after.keys(), tr("something that was there before is gone"))


def _states(status: "Task") -> str:
    return "/".join(sorted({component["status"] for component in status["components"]}))


def _name(row: "ResourceEvent") -> str:
    return "/".join(part for part in (row["kind"], row["namespace"], row["name"]) if part)


def _application() -> Path:
    packaged = Path(__file__).with_name("shop.yaml")
    return packaged if packaged.exists() else Path(__file__).parents[3] / "examples" / "shop.yaml"


def _title(text: str) -> None:
    say(f"\n{text}")


def _tell(text: str) -> None:
    say(f"  {text}")


def _insist(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CliError(because(tr("the demo failed"), otherwise))
