"""An imported application makes the objects that it was made of, and no other ones."""

import copy
from itertools import product
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemin.convert.importing import import_objects
from kubemin.convert.normal import cleaned, reduced
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.manifests import flattened
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.sensitive import SensitiveEnv
from tests.bundles.bundles import BUNDLES
from tests.render.cases import read, rendered_cases
from tests.spec.strategies import applications

from .objects import PERMISSIVE, imported, kept, made, plain, selects

CASES = rendered_cases()

CHART = """
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: prod-web
    labels: {app.kubernetes.io/name: web, app.kubernetes.io/instance: prod, app.kubernetes.io/managed-by: Helm}
  spec:
    selector: {matchLabels: {app.kubernetes.io/name: web, app.kubernetes.io/instance: prod}}
    template:
      metadata:
        annotations: {checksum/config: abc}
        labels: {app.kubernetes.io/name: web, app.kubernetes.io/instance: prod}
      spec:
        serviceAccountName: prod-web
        securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
        containers:
          - name: web
            image: "nginx:1.28"
            imagePullPolicy: Always
            securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
            ports: [{name: http, containerPort: 8080, protocol: TCP}]
            readinessProbe: {httpGet: {path: /, port: http}}
            resources: {requests: {cpu: 50m}, limits: {memory: 128Mi}}
            volumeMounts: [{name: tmp, mountPath: /tmp}]
        volumes: [{name: tmp, emptyDir: {}}]
        nodeSelector: {kubernetes.io/os: linux}
        affinity:
          podAntiAffinity:
            preferredDuringSchedulingIgnoredDuringExecution:
              - weight: 100
                podAffinityTerm:
                  topologyKey: kubernetes.io/hostname
                  labelSelector: {matchLabels: {app.kubernetes.io/name: web}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: prod-web}}
- apiVersion: v1
  kind: Service
  metadata: {name: prod-web}
  spec:
    type: NodePort
    selector: {app.kubernetes.io/name: web, app.kubernetes.io/instance: prod}
    ports: [{name: http, port: 80, targetPort: http}]
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: prod-web}
  spec:
    rules:
      - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: prod-web, port: {name: http}}}}]}
- apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: prod-web}
  spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: prod-web}, maxReplicas: 3}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: prod-web}
  spec: {maxUnavailable: 1, selector: {matchLabels: {app.kubernetes.io/instance: prod}}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: prod-web}
  spec: {podSelector: {matchLabels: {app.kubernetes.io/name: web}}, ingress: [{ports: [{port: http}]}]}
"""
"""As `helm create` begins one, with ports by name."""

ADDED: tuple[tuple[str, str, Any], ...] = (
    ("Deployment", "spec.template.spec.priorityClassName", "high"),
    ("Deployment", "spec.template.spec.containers.0.stdin", True),
    ("Deployment", "spec.progressDeadlineSeconds", 5),
    ("Deployment", "metadata.annotations", {"example.org/a": "b"}),
    ("Deployment", "metadata.labels", {"more": "on-the-object-alone"}),
    ("Deployment", "spec.template.metadata.labels", {"app.kubernetes.io/name": "other", "x": "y"}),
    ("Deployment", "spec.strategy", {"type": "Recreate"}),
    ("StatefulSet", "spec.podManagementPolicy", "Parallel"),
    ("StatefulSet", "spec.template.spec.containers.0.image", "db"),
    ("StatefulSet", "spec.updateStrategy", {"type": "OnDelete"}),
    ("Service", "spec.sessionAffinity", "ClientIP"),
    ("Service", "spec.ports.0.nodePort", 30000),
    ("Service", "spec.selector", {"app.kubernetes.io/name": "web"}),
    ("ConfigMap", "immutable", True),
    ("ConfigMap", "data", {"config.url": "https://a.example"}),
    ("Secret", "data", {"a": "/w=="}),
    ("Secret", "stringData", {"a": "${{ app.name }}"}),
    ("Ingress", "spec.defaultBackend", {"service": {"name": "x", "port": {"number": 1}}}),
    ("PersistentVolumeClaim", "spec.accessModes", ["ReadWriteMany"]),
)
"""What others write too: a kind, a place, and what is there."""


@st.composite
def plain_objects(draw: st.DrawFn) -> list[Manifest]:
    """Objects as others write them, with what KubeMin does not render."""
    objects = plain(render(draw(applications(max_components=4))))
    for kind, path, value in draw(st.lists(st.sampled_from(ADDED), max_size=3)):
        found = [one for one in objects if one["kind"] == kind]
        if found:
            _add(draw(st.sampled_from(found)), path, copy.deepcopy(value))
    return objects


def _add(manifest: Manifest, path: str, value: Any) -> None:
    *fields, last = path.split(".")
    holder: Any = manifest
    for field in fields:
        holder = holder[int(field)] if isinstance(holder, list) else holder[field]
    if isinstance(holder.get(last), dict) and isinstance(value, dict) and last == "labels":
        holder[last].update(value)
    else:
        holder[last] = value


def _is_the_same(objects: list[Manifest], application: Application) -> None:
    before, after = {ObjectRef.of(one): one for one in objects}, made(application)
    assert after.keys() == before.keys()
    for ref, one in before.items():
        assert kept(after[ref]) == kept(one)
        labels = one["metadata"].get("labels", {})
        assert labels.items() <= after[ref]["metadata"]["labels"].items()
    assert selects(after.values()) == selects(objects)


@settings(max_examples=40)
@given(plain_objects(), st.sampled_from(["shop", "other"]))
def test_the_objects_are_the_same(objects: list[Manifest], name: str) -> None:
    found, application = imported(objects, name)
    _is_the_same(objects, application)
    assert {ref for ref, _ in found.taken}.isdisjoint(found.stays)
    assert {ObjectRef.of(one) for one in objects} == {ref for ref, _ in found.taken} | found.stays.keys()


@pytest.mark.parametrize("case", CASES)
def test_golden_objects_are_the_same(case: str) -> None:
    objects = plain(render(read(CASES[case])))
    _, application = imported(objects, "shop")
    _is_the_same(objects, application)


@pytest.mark.parametrize("bundle", [*BUNDLES])
def test_bundles_are_the_same(bundle: str) -> None:
    objects = [one for _, one in flattened(BUNDLES[bundle].manifests, "")]
    found, application = imported(objects, "shop")
    for ref, one in zip(found.refs, objects, strict=True):
        one["metadata"] |= {"namespace": ref.namespace} if ref.namespace else {}
    after = made(application)
    assert after.keys() == {*found.refs}
    for ref, one in zip(found.refs, objects, strict=True):
        if ref in found.stays:
            assert kept(after[ref]) == kept(cleaned(one))
    assert selects(after.values()) == selects(objects)


def test_of_a_chart_only_what_nobody_makes_alone_stays() -> None:
    objects: list[Manifest] = yaml.safe_load(CHART)
    found, application = imported(objects, "shop")
    assert [str(ref) for ref in found.stays] == ["ServiceAccount/default/prod-web"]
    assert {component for _, component in found.taken} == {"web"}
    (part,) = found.components
    assert part["properties"]["ports"] == [{"port": 80, "name": "http", "targetPort": 8080}]
    assert made(application).keys() == {ref for ref, _ in found.taken} | found.stays.keys()


_SMALL = """
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: web}
  spec:
    serviceName: web-headless
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        serviceAccountName: web
        imagePullSecrets: [{name: pull}]
        initContainers: [{name: init, image: "x:1"}]
        containers:
        - name: web
          image: "nginx:1.28"
          ports: [{name: http, containerPort: 80}]
          env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: pin}}}, {name: B, value: b}]
          envFrom: [{configMapRef: {name: settings}}]
          livenessProbe: {httpGet: {port: 80}}
          resources: {limits: {cpu: 1}}
          volumeMounts: [{name: data, mountPath: /data}, {name: c, mountPath: /c}]
        volumes: [{name: c, configMap: {name: settings}}]
    volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: web}
  spec:
    tls: [{hosts: [a.example], secretName: login}]
    rules:
    - host: a.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: web}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
  subjects: [{kind: ServiceAccount, name: web, namespace: default}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: web}
  rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: web}, automountServiceAccountToken: true}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: login}, data: {pin: MTIz}}
- apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: web}
  spec:
    scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: web}
    maxReplicas: 2
    metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: web}
  spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: web}
  spec:
    podSelector: {matchLabels: {app: web}}
    policyTypes: [Ingress]
    ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]
- apiVersion: gateway.networking.k8s.io/v1
  kind: HTTPRoute
  metadata: {name: web}
  spec:
    parentRefs: [{name: gate}]
    hostnames: [a.example]
    rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: web, port: 80}]}]
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: every}
  spec:
    schedule: "@daily"
    jobTemplate:
      spec:
        template:
          spec: {restartPolicy: Never, containers: [{name: every, image: "x:1"}]}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p}, spec: {accessModes: [ReadWriteOnce]}}
"""
_ODD: tuple[Any, ...] = (None, 1, True, "x", [], {}, [1], [None], {"a": 1}, {"name": 1}, [{}])


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Each place in an object that the API server, and not the reader of files, would find odd."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for key, one in items for place in _places(one, (*path, key))]
    return [*([path] if len(path) > 1 or path == ("spec",) else []), *found]


_EVERY = 40


@pytest.mark.parametrize("begin", [0, *(pytest.param(n, marks=pytest.mark.proof) for n in range(1, _EVERY))])
def test_what_no_api_server_would_take_stays_as_it_is(begin: int) -> None:
    """Whatever is in the place of any field: nothing is raised, and each object has its place."""
    objects: list[Manifest] = yaml.safe_load(_SMALL)
    places = [
        (number, place)
        for number, one in enumerate(objects)
        for place in _places({key: value for key, value in one.items() if key != "metadata"})
    ]
    for (number, place), odd in list(product(places, _ODD))[begin::_EVERY]:
        changed = copy.deepcopy(objects)
        holder: Any = changed[number]
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = copy.deepcopy(odd)
        found = import_objects(changed, "shop", "default", limits=PERMISSIVE)
        assert len(found.taken) + len(found.stays) == len(objects)


@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from([True, False, None]), min_size=1))
def test_what_was_said_of_variables_is_kept(said: dict[str, bool | None]) -> None:
    """Also by what stays a manifest: a value that is masked before is masked after."""
    envs = [
        {"name": name, "valueFrom": {"static": f"$(X){name}"}, **({} if one is None else {"sensitive": one})}
        for name, one in said.items()
    ]
    traits = {"envs": envs, "sidecar": [{"name": "beside", "image": "a:1", "env": {"D": "4"}}]}
    part = {"name": "web", "type": "webservice", "image": "web:1", "traits": traits}
    before = parse_application({"name": "shop", "component": [part]}, PERMISSIVE)
    found, after = imported(plain(render(before)), "shop")
    assert not found.stays
    (web,) = after.component
    envs_after = web.traits.envs
    assert {one.name: one.sensitive for one in envs_after or []} == said
    _, stayed = imported([_strange(one) for one in plain(render(before))], "shop")
    for application in (after, stayed):
        for manifest in made(application).values():
            for name, one in said.items():
                assert SensitiveEnv(manifest, guess=False)(name, "x") is (one is True)


def _strange(manifest: Manifest) -> Manifest:
    """With a field that the own format does not have."""
    return {**manifest, "spec": {**manifest["spec"], "revisionHistoryLimit": 3}}


def test_what_some_versions_of_kubernetes_fill_in_is_a_default() -> None:
    """StatefulSets have `maxUnavailable: 1` in 1.35.0 to 1.35.3, and from 1.37 on."""
    bare = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {}}
    filled = {**bare, "spec": {"updateStrategy": {"rollingUpdate": {"partition": 0, "maxUnavailable": 1}}}}
    other = {**bare, "spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}}
    assert reduced(filled) == reduced(bare)
    assert reduced(other) != reduced(bare)
