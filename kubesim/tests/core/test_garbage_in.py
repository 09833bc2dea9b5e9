"""Whatever is sent, the answer is an object or a refusal, never an accident."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubesim.calls import Call
from kubesim.handlers import Handlers
from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem
from kubesim.registry import Registry
from kubesim.routing import NoSuchPath, Target, parse

from .conftest import APPLY, JSON_PATCH, MERGE, STRATEGIC, config_map, deployment

CATALOG = Registry().catalog

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "key", "value"]), inner),
    max_leaves=4,
)
META: Object = {
    "labels": {"a": "b"},
    "annotations": {"a": "b"},
    "finalizers": ["example.com/a"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}],
    "managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {}}}],
    "generateName": "a-",
    "resourceVersion": "3",
    "uid": "u",
    "generation": 1,
    "deletionTimestamp": "2026-01-01T00:00:00Z",
}
POD_SPEC = deployment()["spec"]["template"]["spec"]
OBJECTS: dict[str, Object] = {
    "configmaps": config_map(),
    "deployments": deployment(),
    "statefulsets": {
        **deployment(),
        "kind": "StatefulSet",
        "spec": {
            **deployment()["spec"],
            "serviceName": "web",
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "d"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        },
    },
    "services": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.9",
            "clusterIPs": ["10.96.0.9"],
            "ports": [{"port": 80, "nodePort": 30001, "targetPort": "x", "protocol": "TCP"}],
            "selector": {"a": "b"},
        },
    },
    "secrets": {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": "b"},
        "data": {"c": "ZA=="},
        "type": "Opaque",
    },
    "pods": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": POD_SPEC},
    "persistentvolumeclaims": {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    },
    "namespaces": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}, "spec": {"finalizers": []}},
    "events": {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
    },
}
SUBRESOURCES = {
    "deployments": ["", "status", "scale"],
    "namespaces": ["", "status", "finalize"],
    "pods": ["", "status"],
}


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [here]
    if isinstance(value, dict):
        items: Any = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += paths(item, (*here, key))
    return found


@st.composite
def spoilt(draw: st.DrawFn, plural: str) -> Any:
    """An object of a kind with some of its places taken by something else."""
    obj = copy_json(OBJECTS[plural])
    for field in draw(st.lists(st.sampled_from(sorted(META)), max_size=3)):
        obj["metadata"][field] = copy_json(META[field])
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(paths(obj)[1:] or [()]))
        if not path:
            return draw(JSON)
        parent = obj
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = draw(JSON)
    return obj


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A request that may or may not make sense."""
    plural = draw(st.sampled_from(sorted(OBJECTS)))
    group = "/apis/apps/v1" if plural in ("deployments", "statefulsets") else "/api/v1"
    name = OBJECTS[plural]["metadata"]["name"]
    collection = f"{group}/{plural}" if plural == "namespaces" else f"{group}/namespaces/default/{plural}"
    method = draw(st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]))
    query = {"fieldManager": "m"} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        query["dryRun"] = "All"
    if draw(st.booleans()):
        query["fieldValidation"] = draw(st.sampled_from(["Strict", "Warn", "Ignore"]))
    content_type = "application/json"
    path = f"{collection}/{name}"
    if method == "POST":
        path, body = collection, draw(spoilt(plural))
    elif method == "DELETE":
        options = {"preconditions": {"uid": "u"}, "propagationPolicy": "Foreground", "gracePeriodSeconds": 0}
        body = {
            **options,
            **draw(st.dictionaries(st.sampled_from(sorted([*options, "dryRun", "orphanDependents"])), JSON)),
        }
    else:
        subresource = draw(st.sampled_from(SUBRESOURCES.get(plural, [""])))
        path += f"/{subresource}" if subresource else ""
        body = draw(spoilt(plural))
        if method == "PATCH":
            content_type = draw(st.sampled_from([APPLY, MERGE, STRATEGIC, JSON_PATCH]))
            if content_type == JSON_PATCH:
                pointer = "/" + "/".join(str(key) for key in draw(st.sampled_from(paths(OBJECTS[plural]))))
                operation = {"op": draw(st.sampled_from(["add", "replace", "test", "remove", "move"])), "path": pointer}
                body = [{**operation, "value": draw(JSON), "from": "/metadata"}]
    return Call(method, parse(path, CATALOG), query, None, content_type, "t", json.dumps(body).encode())


_ACCIDENTS_OF_THE_REAL_SERVER = (
    "resourceVersion should not be set on objects to be created",
    "strconv.ParseUint",
    "failed to create typed patch object",
)


def outcome(handlers: Handlers, call: Call) -> tuple[int, Any]:
    """Code and body of the answer, or of the refusal."""
    try:
        answer = handlers.answer(call)
    except Problem as problem:
        return problem.code, json.loads(json.dumps(problem.body()))
    return answer.status, json.loads(answer.body)


@settings(max_examples=2 * settings().max_examples)
@given(st.lists(calls(), min_size=1, max_size=4))
def test_every_write_is_answered(requests: list[Call]) -> None:
    registry = Registry()
    for name in ("default", "kube-system"):
        registry.create("namespaces", "", {"metadata": {"name": name}}, manager="t")
    for plural, obj in OBJECTS.items():
        registry.create(plural, "" if plural == "namespaces" else "default", obj, manager="t")
    handlers = Handlers(registry, lambda namespace, pod, container, *, previous=False: "")
    for call in requests:
        code, body = outcome(handlers, call)
        assert isinstance(body, dict)
        # The real server, too, answers 500 to these.
        assert code < 500 or any(text in body["message"] for text in _ACCIDENTS_OF_THE_REAL_SERVER)
    for plural in OBJECTS:
        for obj in registry.scan(plural):
            assert isinstance(obj["metadata"]["name"], str)


@given(st.lists(st.sampled_from(["", "a", "%2F", "%zz", "namespaces", "pods", "status", "default", ".."]), max_size=6))
def test_every_path_is_read_or_refused(parts: list[str]) -> None:
    for root in ("/api/v1/", "/apis/", "/apis/apps/v1/"):
        try:
            target = parse(root + "/".join(parts), CATALOG)
        except (Problem, NoSuchPath):
            continue
        assert isinstance(target, Target)
        assert target.resource.plural in ("pods", "namespaces")


QUERY = st.dictionaries(
    st.sampled_from(["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch"]),
    st.text(max_size=12) | st.sampled_from(["1", "0", "a=b", "a in (b)", "metadata.name=x", "Exact", "e30"]),
)


@given(QUERY)
def test_every_list_is_answered(query: dict[str, str]) -> None:
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="t")
    handlers = Handlers(registry, lambda namespace, pod, container, *, previous=False: "")
    code, body = outcome(handlers, Call("GET", parse("/api/v1/namespaces", CATALOG), query))
    assert (code, body["kind"]) == (200, "NamespaceList") or code in (400, 410, 422, 500, 504)
    assert code != 500 or "strconv.ParseUint" in body["message"]
