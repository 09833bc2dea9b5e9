"""``kubemin demo``: the promise, shown to a person in under a minute, and checked as it goes.

A server of its own (`kubemin dev`: SQLite, in-process signals, a simulated cluster), a cluster that is not empty, a
real application; cancelled in the middle; compared field by field with what was there before; deployed again.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from kubemin.cli.client import Client
from kubemin.cli.exits import CliError
from kubemin.cli.follow import cancel
from kubemin.cli.output import say
from kubemin.cluster import Cluster
from kubemin.engine.merge import changed_paths
from kubemin.spec.objects import KINDS, Manifest, ObjectRef

REASON = "wrong version: stop it"
_CONFIG = "shop-settings"
_ENOUGH = 12
"""How many objects the task has made or changed when it is cancelled: in the middle of the deploy."""

Snapshot = dict[ObjectRef, Manifest]


def run() -> None:
    """Run the demo. Raises :class:`CliError` if anything is not as promised."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kubemin-demo-") as folder, _server(Path(folder)) as (server, cluster_url):
        asyncio.run(_show(server, cluster_url))
    say(f"\nAll of it held, in {time.monotonic() - started:.0f} s.")


async def _show(server: str, cluster_url: str) -> None:
    application = yaml.safe_load(_application().read_text())
    for component in application["component"]:
        if component["name"] == "frontend":
            component["image"] += "-slow-3"  # the simulated Pod is ready after 3 s: time to change one's mind
    with Client(server, None) as client:
        async with _cluster(cluster_url) as cluster:
            app = client.post("/applications", application)
            _title("1. A cluster that is not empty")
            deployment = await _furnish(cluster, cluster_url, app["id"])
            before = await _snapshot(cluster)

            _title("2. Deploy the application, and cancel it in the middle")
            task = client.post(f"/applications/{app['id']}/workflow/exec", {"workflowId": app["workflowId"]})["taskId"]
            _follow(client, task, until=lambda rows: _far_enough(rows, deployment))
            there = await _snapshot(cluster)
            new = len(there.keys() - before.keys())
            changed = [ref for ref in before if ref in there and changed_paths(before[ref], there[ref])]
            say(f"  … {new} new objects in the cluster, changed: {', '.join(map(str, changed))}")
            _insist(new >= _ENOUGH, "the deploy had not come far enough to be cancelled in the middle")
            cancel(client, task, REASON)
            say(f'  cancelled: "{REASON}"')

            _title("3. The rollback, resource by resource")
            _follow_cleanup(client, task)

            _title("4. Compare the cluster with what it was")
            _compare(before, await _snapshot(cluster))

            _title("5. Deploy it again, to completion")
            task = client.post(f"/applications/{app['id']}/workflow/exec", {"workflowId": app["workflowId"]})["taskId"]
            _follow(client, task, until=lambda _: False)
            await _check_complete(client, cluster, task, before)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, str]]:
    """`kubemin dev` on free ports; its address, and that of its simulated cluster."""
    command = [sys.executable, "-m", "kubemin", "dev", "--port", "0", "--database", f"sqlite:///{folder}/demo.db"]
    say("$ kubemin dev")
    log = folder / "server.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603
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
            raise CliError(f"the server did not start: {said}{log.read_text()}")
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


async def _furnish(cluster: Cluster, cluster_url: str, app_id: str) -> ObjectRef:
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
        "metadata": {"name": f"deploy-worker-{app_id}", "namespace": "default", "annotations": {"owner": "ops"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "worker", "image": "shop-worker:0.9"}]},
            },
        },
    }
    for manifest in (config, deployment):  # not by way of `Cluster`: then they would be KubeMin's own
        kind = KINDS[manifest["kind"]]
        path = f"{kind.path}/namespaces/default/{kind.plural}"
        async with httpx.AsyncClient(base_url=cluster_url, trust_env=False) as http:
            (await http.post(path, json=manifest, params={"fieldManager": "ops"})).raise_for_status()
    ref = ObjectRef.of(deployment)
    while (await cluster.get(ref)).get("status", {}).get("availableReplicas") != 2:  # noqa: ASYNC110  a Deployment's
        await asyncio.sleep(0.1)
    say(f"  ConfigMap/default/{_CONFIG} was there before: CURRENCY=USD, ADDED_BY_HAND=do not touch")
    say(f"  {ref} was there before: shop-worker:0.9, 2 of 2 available")
    return ref


def _far_enough(rows: list[dict[str, Any]], deployment: ObjectRef) -> bool:
    done = [row for row in rows if row["state"] in ("created", "changed")]
    changed = {row["name"] for row in done if row["state"] == "changed"}
    return len(done) >= _ENOUGH and {_CONFIG, deployment.name} <= changed


def _follow(client: Client, task: str, until: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Print what the task makes, until the condition on its journal holds, or it ends."""
    rows: list[dict[str, Any]] = []
    for _, kind, data in client.events(task):
        if kind == "resource":
            rows.append(data)
            say(f"  {data['state']:<9} {_name(data)}")
        if kind == "end" or until(rows):
            return


def _follow_cleanup(client: Client, task: str) -> None:
    ended = False
    for _, kind, data in client.events(task):
        ended = ended or (kind == "task" and data["status"] == "cancelled")
        if ended and kind == "resource":
            say(f"  {data['state']:<9} {_name(data)}" + (f"  ({data['why']})" if data["why"] else ""))
        if kind == "end":
            break
    status = client.get(f"/workflow/tasks/{task}/status")
    cleanup = status["cleanup"]
    say(
        f"  task {status['status']} by {status['cancelledBy']}, reason: {status['reason']}; "
        f"cleanup {cleanup['state']}: {cleanup['deleted']} deleted, {cleanup['restored']} restored, "
        f"{cleanup['kept']} kept"
    )
    _insist(status["status"] == "cancelled" and status["reason"] == REASON, "the task is not cancelled as asked")
    _insist(cleanup["state"] == "done", f"the cleanup is {cleanup['state']}: {cleanup['remaining']}")
    _insist(cleanup["restored"] == 2, "the two objects from before are not both restored")


def _compare(before: Snapshot, after: Snapshot) -> None:
    wrong = [f"{ref} is gone" for ref in before if ref not in after]
    wrong += [f"{ref} is left over" for ref in after if ref not in before]
    fields = 0
    for ref, was in before.items():
        if ref in after:
            fields += _leaves(was)
            if after[ref] != was:
                wrong.append(f"{ref} differs in {', '.join(changed_paths(was, after[ref])) or 'its metadata'}")
    _insist(not wrong, "; ".join(wrong))
    say(f"  {len(before)} objects, {fields} fields: identical")
    say("  (but for what only counts up: resourceVersion, managedFields' times, generation, revision; and status)")


async def _check_complete(client: Client, cluster: Cluster, task: str, before: Snapshot) -> None:
    status = client.get(f"/workflow/tasks/{task}/status")
    _insist(status["status"] == "completed", f"the second deploy is {status['status']}: {status['reason']}")
    made = client.get(f"/workflow/tasks/{task}/resources")["resources"]
    for row in made:
        ref = ObjectRef(row["kind"], row["namespace"], row["name"])
        _insist((await cluster.get(ref))["metadata"]["uid"] == row["uid"], f"{ref} is not the one that was deployed")
    after = await _snapshot(cluster)
    config = after[ObjectRef("ConfigMap", "default", _CONFIG)]["data"]
    _insist(config["CURRENCY"] == "EUR" and config["ADDED_BY_HAND"] == "do not touch", f"{_CONFIG} holds {config}")
    count = len(made)
    _insist(count >= 20, f"only {count} resources were deployed")
    say(f"  completed: {count} resources, every component {_states(status)}; ADDED_BY_HAND is still there")
    _insist(
        all(component["status"] == "completed" for component in status["components"]), "a component is not complete"
    )
    _insist(before.keys() <= after.keys(), "something that was there before is gone")


def _states(status: dict[str, Any]) -> str:
    return "/".join(sorted({component["status"] for component in status["components"]}))


async def _snapshot(cluster: Cluster) -> Snapshot:
    """Everything but Pods and Events (which come and go by themselves), without counters and status."""
    kinds = [kind for kind in KINDS if kind not in ("Pod", "Event")]
    listings = await asyncio.gather(*(cluster.list(kind) for kind in kinds))
    return {ObjectRef.of(item): _comparable(item) for listing in listings for item in listing.items}


def _comparable(obj: Manifest) -> Manifest:
    counters = ("resourceVersion", "generation", "managedFields")
    meta = {key: value for key, value in obj["metadata"].items() if key not in counters}
    revision = "deployment.kubernetes.io/"
    annotations = {key: value for key, value in meta.pop("annotations", {}).items() if not key.startswith(revision)}
    if annotations:
        meta["annotations"] = annotations
    body = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {**body, "metadata": meta}


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, list):
        return sum(_leaves(item) for item in value)
    return 1


def _name(row: dict[str, Any]) -> str:
    return "/".join(part for part in (row["kind"], row["namespace"], row["name"]) if part)


def _application() -> Path:
    packaged = Path(__file__).with_name("shop.yaml")
    return packaged if packaged.exists() else Path(__file__).parents[3] / "examples" / "shop.yaml"


def _title(text: str) -> None:
    say(f"\n{text}")


def _insist(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CliError(f"the demo failed: {otherwise}")
