"""Whatever is sent, the answer is an object or a Problem."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fields import samples
from fields.model import Server
from kubesim.jsondata import copy_json
from kubesim.patching import json_patch, merge_patch, strategic_merge_patch
from kubesim.problems import Problem

Object = dict[str, Any]

RICH_CONTAINER = samples.container(
    ports=[{"containerPort": 80, "name": "http"}],
    env=[{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    envFrom=[{"configMapRef": {"name": "c"}}],
    volumeMounts=[{"name": "v", "mountPath": "/v"}],
    resources={"limits": {"cpu": "1"}, "requests": {"cpu": "500m"}},
    readinessProbe={"httpGet": {"port": "http"}},
    lifecycle={"preStop": {"exec": {"command": ["x"]}}},
)
RICH_TEMPLATE = samples.template(
    RICH_CONTAINER,
    volumes=[{"name": "v", "configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}}],
    initContainers=[samples.container("init")],
    tolerations=[{"key": "a", "operator": "Exists"}],
    topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}],
)
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
KINDS: list[Object] = [
    samples.deployment(template=RICH_TEMPLATE, strategy={"rollingUpdate": {"maxSurge": 1}}),
    samples.stateful_set(
        template=RICH_TEMPLATE, volumeClaimTemplates=[{**samples.claim(), "metadata": {"name": "data"}}]
    ),
    samples.workload("DaemonSet"),
    samples.service({"port": 80, "name": "a", "targetPort": "http"}, {"port": 81, "name": "b"}),
    samples.claim(selector={"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}),
    samples.config_map({"a": "1"}, labels={"a": "b"}, ownerReferences=[OWNER], finalizers=["a/b"]),
    samples.secret({"a": "MQ=="}, stringData={"b": "2"}),
    samples.job(),
    samples.ingress(),
    samples.role_binding(),
]
SCALARS = [None, True, 0, -1, 2**70, 0.5, "", "x", "%", "é"]
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [*SCALARS, [], [None], ["a", "a"], [[]], [{}], {}, {"a": None}, {"x": {}}, [1, {"name": 1}]]
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path in an object, but for those that make it one."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if path or key not in ("apiVersion", "kind", "metadata"):
                yield (*path, key)
            yield from places(item, (*path, key))


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[Object, Object]:
    """A valid object, and the same with junk in up to three places."""
    good = draw(st.sampled_from(KINDS))
    bad = copy_json(good)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(places(bad))))
        target = bad
        for key in above:
            target = target[key]
        target[last] = copy_json(draw(JUNK))
    return good, bad


def outcome(call: Any, *args: Any, **kwargs: Any) -> int:
    """The status of a call, 200 if it is done. Every other exception than a Problem is a bug."""
    try:
        call(*args, **kwargs)
    except Problem as problem:
        return problem.code
    return 200


@settings(max_examples=3 * settings().max_examples)
@given(spoiled())
def test_writes_answer_with_problems(pair: tuple[Object, Object]) -> None:
    good, bad = pair
    assert outcome(Server().create, bad) in (200, 400, 422)
    assert outcome(Server().apply, bad) in (200, 400, 422, 500)
    server = Server()
    server.create(good)
    before = copy_json(server.obj)
    if outcome(server.put, bad) != 200:
        assert server.obj == before
    outcome(server.apply, bad, force=True)


@settings(max_examples=2 * settings().max_examples)
@given(spoiled())
def test_patches_answer_with_problems(pair: tuple[Object, Object]) -> None:
    good, bad = pair
    server = Server()
    server.create(good)
    for patch in (bad, {"spec": bad.get("spec")}, {"metadata": bad.get("metadata")}):
        assert outcome(strategic_merge_patch, good["kind"], server.obj, patch) in (200, 400, 422)
        assert outcome(merge_patch, server.obj, patch) == 200
    assert outcome(json_patch, server.obj, [{"op": "add", "path": "/spec/x", "value": bad}]) in (200, 422)
