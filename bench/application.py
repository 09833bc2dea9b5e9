"""The application that is deployed: 50 components, 200 objects of all kinds, one DAG step."""

from typing import Any

from kubemin.plan import Plan, make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application

COMPONENTS = 50
OBJECTS = 200
NEVER_READY = "never:1"


def application(*, last_image: str = "web:1") -> Application:
    """``last_image`` is the image of the last component; `NEVER_READY` keeps the deploy from ending."""
    parts = [_config(n) for n in range(5)] + [_secret(n) for n in range(3)] + [_store(n) for n in range(6)]
    parts += [_web(n, volume=True, roles=True) for n in range(12)]
    parts += [_web(n, volume=True) for n in range(12, 30)]
    parts += [_web(n) for n in range(30, 36)]
    parts[-1]["image"] = last_image
    assert len(parts) == COMPONENTS
    return parse_application({"name": "bench", "component": parts})


def smaller() -> Application:
    """One of half as many objects, of the same kinds."""
    parts = [_config(n) for n in range(4)] + [_secret(n) for n in range(2)] + [_store(n) for n in range(2)]
    parts += [_web(n, volume=True, roles=True) for n in range(6)]
    parts += [_web(n, volume=True) for n in range(6, 16)]
    parts += [_web(n) for n in range(16, 18)]
    return parse_application({"name": "bench", "component": parts})


def plan_of(app: Application) -> Plan:
    """The plan that the engine would run."""
    plan = make_plan(app, render(app), app.steps())
    assert len(plan.jobs) == OBJECTS
    return plan


def _config(n: int) -> dict[str, Any]:
    return {"name": f"config-{n}", "type": "config", "properties": {"conf": {f"key-{k}": "v" * 100 for k in range(10)}}}


def _secret(n: int) -> dict[str, Any]:
    return {
        "name": f"secret-{n}",
        "type": "secret",
        "properties": {"secret": {"user": "shop", "password": "change-me"}},
    }


def _store(n: int) -> dict[str, Any]:
    volume = {"name": "data", "type": "persistent", "tmpCreate": True, "mountPath": "/data", "size": "1Gi"}
    return {
        "name": f"store-{n}",
        "type": "store",
        "image": "db:1",
        "properties": {"ports": [{"port": 5432}], "env": {"MODE": "bench"}},
        "traits": {"storage": [volume]},
    }


def _web(n: int, *, volume: bool = False, roles: bool = False) -> dict[str, Any]:
    traits: dict[str, Any] = {
        "probes": [{"type": "readiness", "httpGet": {"path": "/", "port": 8080}}],
        "ingress": [{"hosts": [f"web-{n}.example"], "routes": [{"path": "/", "backend": {"serviceName": f"web-{n}"}}]}],
    }
    if volume:
        size = {"size": "1Gi", "mountPath": "/srv"}
        traits["storage"] = [{"name": f"files-{n}", "type": "persistent", "tmpCreate": True, **size}]
    if roles:
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
        traits["rbac"] = [{"rules": [rule]}]
    return {
        "name": f"web-{n}",
        "type": "webservice",
        "image": "web:1",
        "properties": {"ports": [{"port": 8080}], "env": {"MODE": "bench", "NUMBER": str(n)}},
        "traits": traits,
    }
