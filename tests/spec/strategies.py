"""Random applications that are valid: as a user would write them, and as the spec reads them.

``application_data()`` gives JSON, ``applications()`` the same, parsed. Names are drawn so that no two objects clash.
"""

import string
from typing import Any

from hypothesis import strategies as st

from kubemin.spec.application import Application, parse_application

Json = dict[str, Any]

APP_ID = "k3u8m1n5a2p7p9i4d6x0q1w2"
IMAGES = ("nginx:1.29", "postgres:17", "team/api:2.1.0")

_LOWER = string.ascii_lowercase + string.digits
_SHORT = st.text(string.ascii_lowercase, min_size=1, max_size=6)
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_PORT = st.integers(1, 65535)
_QUANTITY = st.sampled_from(["1", "250m", "64Mi", "1.5Gi", "2e3", "100M"])


def labels_(max_size: int = 63) -> st.SearchStrategy[str]:
    """RFC 1123 labels."""
    inner = st.text(_LOWER + "-", max_size=max_size - 2)
    edge = st.sampled_from(_LOWER)
    return st.one_of(_SHORT, st.builds(lambda a, b, c: a + b + c, edge, inner, edge))


def data_keys() -> st.SearchStrategy[str]:
    """Keys of ConfigMaps and Secrets."""
    return st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=20).map(lambda key: f"{key}.x")


def variables() -> st.SearchStrategy[str]:
    """Names of environment variables."""
    return st.text(string.ascii_uppercase + "_", min_size=1, max_size=12)


def user_labels() -> st.SearchStrategy[dict[str, str]]:
    """Labels that a user may set."""
    keys = st.one_of(_SHORT.map(lambda key: f"x-{key}"), _SHORT.map(lambda key: f"example.org/{key}"))
    return st.dictionaries(keys, st.one_of(st.just(""), labels_()), max_size=3)


def _given(draw: st.DrawFn, **fields: st.SearchStrategy[Any]) -> Json:
    """Some of the fields, as one rarely writes all of them."""
    return {name: draw(values) for name, values in fields.items() if draw(st.booleans())}


@st.composite
def _storages(draw: st.DrawFn, component: int, container: str = "") -> list[Json]:
    """Volumes of one container; their names hold the component's number, so that claims never clash."""
    storages: list[Json] = []
    for index in range(draw(st.integers(0, 3))):
        name = f"v{component}{container}-{index}{draw(st.sampled_from(['', '-' + 'long' * 12]))}"
        kind = draw(st.sampled_from(["persistent", "persistent", "ephemeral", "config", "secret"]))
        storage: Json = {"name": name, "type": kind}
        if kind == "persistent":
            if draw(st.booleans()):
                storage["tmpCreate"] = True
                storage |= _given(draw, size=_QUANTITY, storageClass=_SHORT)
            else:
                storage |= _given(draw, claimName=_SHORT)
        elif kind != "ephemeral":
            storage |= _given(draw, sourceName=_SHORT)
        storage |= _given(draw, subPath=_SHORT, readOnly=st.booleans())
        if draw(st.booleans()):
            storage["mountPath"] = f"/data/{container or 'main'}/{index}"
        storages.append(storage)
    return storages


@st.composite
def _envs(draw: st.DrawFn) -> list[Json]:
    ref = st.fixed_dictionaries({"name": _SHORT, "key": data_keys()})
    source = st.one_of(
        st.fixed_dictionaries({"static": _TEXT}),
        st.fixed_dictionaries({"secret": ref}),
        st.fixed_dictionaries({"config": ref}),
        st.fixed_dictionaries({"field": st.sampled_from(["metadata.name", "status.podIP", "metadata.labels['a']"])}),
    )
    names = draw(st.lists(variables().map(lambda name: f"T_{name}"), max_size=3, unique=True))
    return [{"name": name, "valueFrom": draw(source)} for name in names]


@st.composite
def _probes(draw: st.DrawFn) -> list[Json]:
    probes: list[Json] = []
    for kind in draw(st.lists(st.sampled_from(["liveness", "readiness", "startup"]), unique=True)):
        handler = draw(
            st.one_of(
                st.fixed_dictionaries({"exec": st.fixed_dictionaries({"command": st.just(["true"])})}),
                st.fixed_dictionaries({"httpGet": st.fixed_dictionaries({"path": st.just("/healthz"), "port": _PORT})}),
                st.fixed_dictionaries({"tcpSocket": st.fixed_dictionaries({"port": _PORT})}),
            )
        )
        numbers = _given(draw, initialDelaySeconds=st.integers(0, 60), periodSeconds=st.integers(1, 60))
        probes.append({"type": kind, **handler, **numbers})
    return probes


@st.composite
def _container_traits(draw: st.DrawFn, component: int, container: str = "") -> Json:
    env_from = st.fixed_dictionaries({"type": st.sampled_from(["config", "configMap", "secret"]), "sourceName": _SHORT})
    resources = st.fixed_dictionaries({}, optional={"cpu": _QUANTITY, "memory": _QUANTITY, "gpu": st.just("1")})
    return _given(
        draw,
        storage=_storages(component, container),
        envFrom=st.lists(env_from, max_size=2),
        envs=_envs(),
        resources=resources,
    )


@st.composite
def _traits(draw: st.DrawFn, component: int, services: list[str]) -> Json:
    traits: Json = draw(_container_traits(component))
    traits |= _given(draw, probes=_probes())
    image = st.sampled_from(IMAGES)
    if draw(st.booleans()):
        traits["init"] = [
            {"properties": {"image": draw(image)}, "traits": draw(_container_traits(component, f"i{index}"))}
            for index in range(draw(st.integers(1, 2)))
        ]
    if draw(st.booleans()):
        sidecar: Json = {"image": draw(image), "args": ["-v"], "traits": draw(_container_traits(component, "s"))}
        traits["sidecar"] = [sidecar]
    if draw(st.booleans()):
        rule = {"apiGroups": [""], "resources": ["pods", "configmaps"], "verbs": ["get", "list"]}
        traits["rbac"] = [{"rules": [rule], "roleLabels": draw(user_labels())}]
    has_ingress: bool = draw(st.booleans())
    if services and has_ingress:
        rewrite = st.sampled_from([None, {"type": "prefix"}, {"type": "replace", "replacement": "/new"}])
        routes = [
            {"path": f"/{index}", "backend": {"serviceName": draw(st.sampled_from(services))}, "rewrite": draw(rewrite)}
            for index in range(draw(st.integers(1, 3)))
        ]
        traits["ingress"] = [{"hosts": draw(st.lists(_SHORT, max_size=2, unique=True)), "routes": routes}]
    if draw(st.integers(0, 5)) == 0:
        traits["share"] = {"strategy": draw(st.sampled_from(["default", "ignore", "force"]))}
    return traits


@st.composite
def _component(draw: st.DrawFn, number: int, name: str, services: list[str], images: tuple[str, ...]) -> Json:
    kinds = ["webservice", "store"] if name in services else ["webservice", "store", "config", "secret", "job"]
    kind = draw(st.sampled_from(kinds))
    component: Json = {"name": name, "type": kind}
    if kind in ("config", "secret"):
        data = st.dictionaries(data_keys(), _TEXT, max_size=3)
        return {**component, "properties": {"conf" if kind == "config" else "secret": draw(data)}}
    properties: Json = _given(
        draw,
        env=st.dictionaries(variables(), _TEXT, max_size=3),
        command=st.lists(_SHORT, max_size=3),
        labels=user_labels(),
    )
    if name in services:
        ports = draw(st.lists(_PORT, min_size=1, max_size=3, unique=True))
        properties["ports"] = [{"port": port} for port in ports]
    if kind != "job":
        component["replicas"] = draw(st.integers(0, 3))
    image = draw(st.sampled_from(images))
    if draw(st.booleans()):
        component["image"] = image
    else:
        properties["image"] = image
    return {**component, "properties": properties, "traits": draw(_traits(number, services))}


@st.composite
def _workflow(draw: st.DrawFn, names: list[str]) -> list[Json]:
    """Steps over some of the components, in any order."""
    rest = list(draw(st.permutations(names)))
    steps: list[Json] = []
    while rest and (not steps or draw(st.integers(0, 4))):
        step: Json = {"name": f"step {len(steps)}", "mode": draw(st.sampled_from(["StepByStep", "DAG"]))}
        count = draw(st.integers(1, len(rest)))
        mine, rest = rest[:count], rest[count:]
        split = draw(st.integers(0, len(mine)))
        step["components"] = mine[:split]
        step["subSteps"] = [
            {"name": f"part {len(steps)}.{index}", "components": [name]} for index, name in enumerate(mine[split:])
        ]
        steps.append(step)
    return steps


@st.composite
def application_data(
    draw: st.DrawFn, *, max_components: int = 12, images: tuple[str, ...] = IMAGES, namespace: str = "default"
) -> Json:
    """An application as JSON, with 1 to ``max_components`` components of all types, or fewer."""
    names = draw(st.lists(labels_(), min_size=1, max_size=max_components, unique=True))
    services = [name for name in names if draw(st.booleans())]
    components = [draw(_component(number, name, services, images)) for number, name in enumerate(names)]
    data: Json = {"name": f"app-{draw(labels_(40))}", "namespace": namespace, "component": components}
    data |= _given(draw, alias=_TEXT, description=_TEXT, tmpEnable=st.booleans(), workflow=_workflow(names))
    return data


def applications(
    *, max_components: int = 12, images: tuple[str, ...] = IMAGES, namespace: str = "default"
) -> st.SearchStrategy[Application]:
    """Applications, read and checked."""
    data = application_data(max_components=max_components, images=images, namespace=namespace)
    return data.map(parse_application)
