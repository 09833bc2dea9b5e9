"""Tables: what ``kubectl get`` prints of each kind."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesim.columns import columns_of, human_duration
from kubesim.podcells import pod_ready, pod_restarts, pod_status
from kubesim.resources import RESOURCES

from .conftest import CONFIG_MAPS, Api, config_map

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


async def table(api: Api, path: str, **query: str) -> Any:
    answer = await api.call("GET", path, headers={"Accept": TABLE}, **query)
    assert (answer.status, answer.body["kind"], answer.body["apiVersion"]) == (200, "Table", "meta.k8s.io/v1")
    return answer.body


async def test_a_list_as_a_table(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map("a", {"x": "1", "y": "2"}, labels={"mine": "1"}))
    shown = await table(api, CONFIG_MAPS, labelSelector="mine")
    assert [column["name"] for column in shown["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = shown["rows"]
    assert row["cells"][:2] == ["a", 2]
    assert row["cells"][2].endswith("s")
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "a"
    assert shown["metadata"]["resourceVersion"] == str(api.server.registry.storage.revision)


async def test_one_object_whole_or_nothing_but_cells(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    whole = await table(api, f"{CONFIG_MAPS}/a", includeObject="Object")
    assert whole["rows"][0]["object"] == made.body
    assert "object" not in (await table(api, f"{CONFIG_MAPS}/a", includeObject="None"))["rows"][0]
    wrong = await api.call("GET", CONFIG_MAPS, headers={"Accept": TABLE}, includeObject="Some")
    assert wrong.status == 400


async def test_pages_go_on_in_tables(api: Api) -> None:
    for name in "ab":
        await api.made(CONFIG_MAPS, config_map(name, labels={"mine": "1"}))
    first = await table(api, CONFIG_MAPS, limit="1", labelSelector="mine")
    rest = await table(api, CONFIG_MAPS, labelSelector="mine", **{"continue": first["metadata"]["continue"]})
    assert [row["cells"][0] for page in (first, rest) for row in page["rows"]] == ["a", "b"]


async def test_every_kind_that_is_there_can_be_shown(api: Api) -> None:
    for resource in RESOURCES.values():
        root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.api_version}"
        shown = await table(api, f"{root}/{resource.plural}")
        for row in shown["rows"]:
            assert len(row["cells"]) == len(shown["columnDefinitions"])


CELLS: list[tuple[str, dict[str, Any], list[Any]]] = [
    (
        "deployments",
        {"spec": {"replicas": 3}, "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}},
        ["x", "1/3", 2, 1, "5s"],
    ),
    ("statefulsets", {"spec": {"replicas": 2}, "status": {}}, ["x", "0/2", "5s"]),
    (
        "services",
        {
            "spec": {
                "type": "NodePort",
                "clusterIP": "10.96.0.9",
                "ports": [{"port": 80, "nodePort": 30001, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
            }
        },
        ["x", "NodePort", "10.96.0.9", "<none>", "80:30001/TCP,53/UDP", "5s"],
    ),
    (
        "services",
        {"spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "ports": []}},
        ["x", "LoadBalancer", "10.96.0.9", "<pending>", "<none>", "5s"],
    ),
    ("secrets", {"type": "Opaque", "data": {"a": ""}}, ["x", "Opaque", 1, "5s"]),
    ("namespaces", {"status": {"phase": "Active"}}, ["x", "Active", "5s"]),
    (
        "persistentvolumeclaims",
        {
            "spec": {"volumeName": "pv", "storageClassName": "standard"},
            "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]},
        },
        ["x", "Bound", "pv", "1Gi", "RWO", "standard", "<unset>", "5s"],
    ),
    (
        "ingresses",
        {"spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example"}], "tls": [{}]}},
        ["x", "nginx", "a.example", "", "80, 443", "5s"],
    ),
    (
        "jobs",
        {
            "spec": {"completions": 1},
            "status": {
                "succeeded": 1,
                "startTime": "2026-11-24T11:59:55Z",
                "completionTime": "2026-11-24T11:59:58Z",
                "conditions": [{"type": "Complete", "status": "True"}],
            },
        },
        ["x", "Complete", "1/1", "3s", "5s"],
    ),
    ("cronjobs", {"spec": {"schedule": "* * * * *"}}, ["x", "* * * * *", "<none>", "False", 0, "<none>", "5s"]),
    ("rolebindings", {"roleRef": {"kind": "Role", "name": "r"}}, ["x", "Role/r", "5s"]),
    ("limitranges", {}, ["x", "5s"]),
]


@pytest.mark.parametrize(("plural", "obj", "cells"), CELLS, ids=[plural for plural, _, _ in CELLS])
def test_cells(plural: str, obj: dict[str, Any], cells: list[Any]) -> None:
    whole = {"metadata": {"name": "x", "creationTimestamp": "2026-11-24T11:59:55Z"}, **obj}
    columns = [column for column in columns_of(RESOURCES[plural]) if column.priority == 0]
    assert [column.cell(whole, NOW) for column in columns] == cells


def pod(*states: dict[str, Any], phase: str = "Running", **extra: Any) -> dict[str, Any]:
    statuses = [
        {"name": f"c{number}", "ready": "running" in state, "restartCount": 0, "state": state}
        for number, state in enumerate(states)
    ]
    return {
        "metadata": {"name": "p", **extra.pop("meta", {})},
        "spec": {"containers": [{"name": status["name"]} for status in statuses], **extra.pop("spec", {})},
        "status": {"phase": phase, "containerStatuses": statuses, **extra},
    }


RUNNING: dict[str, Any] = {"running": {}}


@pytest.mark.parametrize(
    ("obj", "status"),
    [
        (pod(RUNNING), "Running"),
        (pod(phase="Pending"), "Pending"),
        (pod({"waiting": {"reason": "CrashLoopBackOff"}}), "CrashLoopBackOff"),
        (pod(RUNNING, {"waiting": {"reason": "ImagePullBackOff"}}, phase="Pending"), "ImagePullBackOff"),
        (pod({"terminated": {"reason": "Completed", "exitCode": 0}}, phase="Succeeded"), "Completed"),
        (pod({"terminated": {"exitCode": 3}}, phase="Failed"), "ExitCode:3"),
        (pod(RUNNING, meta={"deletionTimestamp": "x"}), "Terminating"),
        (pod(phase="Failed", reason="Evicted"), "Evicted"),
        (
            pod(
                {"waiting": {"reason": "PodInitializing"}},
                phase="Pending",
                spec={"initContainers": [{"name": "i"}, {"name": "j"}]},
                initContainerStatuses=[
                    {"name": "i", "state": {"terminated": {"exitCode": 0}}},
                    {"name": "j", "state": {"running": {}}},
                ],
            ),
            "Init:1/2",
        ),
    ],
)
def test_one_word_for_a_pod(obj: dict[str, Any], status: str) -> None:
    assert pod_status(obj) == status


def test_ready_and_restarts_of_a_pod() -> None:
    obj = pod(RUNNING, {"waiting": {"reason": "CrashLoopBackOff"}})
    assert pod_ready(obj) == "1/2"
    assert pod_restarts(obj, str) == "0"
    obj["status"]["containerStatuses"][1] |= {"restartCount": 4, "lastState": {"terminated": {"finishedAt": "then"}}}
    assert pod_restarts(obj, str) == "4 (then ago)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (11_000, "3h3m"),
        (28_800, "8h"),
        (172_800, "2d"),
        (180_000, "2d2h"),
        (691_200, "8d"),
        (63_072_000, "2y"),
        (64_000_000, "2y10d"),
        (400_000_000, "12y"),
        (-1, "0s"),
        (-9, "<invalid>"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


@given(st.integers(0, 10**10))
def test_a_duration_loses_less_than_an_hour_a_day(seconds: int) -> None:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
    shown = 0
    number = ""
    for letter in human_duration(seconds):
        if letter.isdigit():
            number += letter
        else:
            shown += int(number) * units[letter]
            number = ""
    assert shown <= seconds
    assert seconds - shown <= max(60, seconds / 7)
