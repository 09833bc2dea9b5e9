"""What is refused, in the words of the real server."""

from typing import Any

import pytest
from hypothesis import given

from fields import samples
from fields.model import Server, refusal
from fields.strategies import CONFIGS
from kubesim import admit
from kubesim.admit.validation import formats
from kubesim.jsondata import copy_json
from kubesim.problems import Problem

Object = dict[str, Any]

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def refused(obj: Object) -> Problem:
    """The answer to a creation that is refused."""
    with pytest.raises(Problem) as caught:
        Server().create(obj)
    return caught.value


def refused_causes(obj: Object) -> list[tuple[str, str]]:
    return refusal(refused(obj))


def refused_container(**fields: Any) -> list[tuple[str, str]]:
    prefix = "spec.template.spec.containers[0]."
    found = refused_causes(samples.deployment(template=samples.template(samples.container(**fields))))
    return [(field.removeprefix(prefix), message) for field, message in found]


def renamed(obj: Object, name: str) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "name": name}}


@given(CONFIGS)
def test_what_is_valid_is_accepted(obj: Object) -> None:
    server = Server()
    server.create(obj)
    admit.validate_update(obj["kind"], copy_json(server.obj), server.obj)


def test_the_whole_answer() -> None:
    problem = refused(samples.deployment(selector=None))
    unselected = 'Invalid value: {"app":"web"}: `selector` does not match template `labels`'
    assert problem.body() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'Deployment.apps "web" is invalid: [spec.selector: Required value, '
        f"spec.template.metadata.labels: {unselected}]",
        "reason": "Invalid",
        "details": {
            "name": "web",
            "group": "apps",
            "kind": "Deployment",
            "causes": [
                {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"},
                {"reason": "FieldValueInvalid", "message": unselected, "field": "spec.template.metadata.labels"},
            ],
        },
        "code": 422,
    }


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (samples.config_map(), SUBDOMAIN),
        (samples.stateful_set(), LABEL),
        (
            samples.service(),
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
            "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
        ),
    ],
)
def test_names(obj: Object, message: str) -> None:
    assert refused_causes(renamed(obj, "No_Name")) == [("metadata.name", f'Invalid value: "No_Name": {message}')]


def test_more_names() -> None:
    Server().create(renamed(samples.config_map(), "a.b"))
    assert refused_causes(renamed(samples.stateful_set(), "a.b")) == [
        ("metadata.name", 'Invalid value: "a.b": must not contain dots')
    ]
    assert refused_causes(renamed(samples.service(), "1a"))[0][0] == "metadata.name"
    assert refused_causes(renamed(samples.role_binding(), "a/b")) == [
        ("metadata.name", "Invalid value: \"a/b\": may not contain '/'")
    ]
    Server().create(renamed(samples.role_binding(), "system:A_b"))
    assert refused_causes(renamed(samples.config_map(), "")) == [
        ("metadata.name", "Required value: name or generateName is required")
    ]


def test_labels_and_annotations() -> None:
    found = refused_causes(samples.config_map(labels={"a b": "x", "a": "-"}, annotations={"": "x"}))
    assert [field for field, _ in found] == ["metadata.labels"] * 2 + ["metadata.annotations"] * 2
    assert refused_causes(samples.config_map(annotations={"a": "x" * (256 * 1024)})) == [
        ("metadata.annotations", "Too long: may not be more than 262144 bytes")
    ]
    Server().create(samples.config_map(annotations={"Example.com/A": "x" * (256 * 1024 - 13)}))


def test_owners() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
    found = refused_causes(samples.config_map(ownerReferences=[owner, {**owner, "uid": "", "name": "q"}]))
    assert found[0] == ("metadata.ownerReferences[1].uid", "Required value: must not be empty")
    assert found[1][1].endswith(
        'Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/q'
    )


def test_selectors() -> None:
    assert refused_causes(samples.deployment(selector={"matchLabels": {"app": "x"}})) == [
        (
            "spec.template.metadata.labels",
            'Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        )
    ]
    assert refused_causes(samples.deployment(selector={})) == [
        ("spec.selector", "Invalid value: {}: empty selector is invalid for deployment")
    ]
    term = {"key": "app", "operator": "In", "values": ["web"]}
    Server().create(samples.deployment(selector={"matchExpressions": [term]}))
    found = refused_causes(samples.deployment(selector={"matchExpressions": [{**term, "operator": "Exists"}]}))
    assert found[0][0] == "spec.selector.matchExpressions[0].values"


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet"])
def test_selectors_are_immutable(kind: str) -> None:
    server = Server()
    labels = {"app": "web", "tier": "x"}
    template = {**samples.template(), "metadata": {"labels": labels}}
    server.create(samples.workload(kind, template=template))
    with pytest.raises(Problem) as caught:
        server.edit(spec__selector={"matchLabels": labels})
    assert refusal(caught.value) == [
        ("spec.selector", 'Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable')
    ]
    assert caught.value.message == (
        f'{kind}.apps "web" is invalid: spec.selector: Invalid value: '
        '{"matchLabels":{"app":"web","tier":"x"}}: field is immutable'
    )


def test_deployments() -> None:
    assert refused_causes(samples.deployment(replicas=-1)) == [
        ("spec.replicas", "Invalid value: -1: must be greater than or equal to 0")
    ]
    assert refused_causes(samples.deployment(strategy={"type": "Recreate", "rollingUpdate": {}})) == [
        (
            "spec.strategy.rollingUpdate",
            "Forbidden: may not be specified when strategy `type` is 'Recreate'",
        )
    ]
    assert refused_causes(samples.deployment(strategy={"type": "Blue"})) == [
        ("spec.strategy.type", 'Unsupported value: "Blue": supported values: "Recreate", "RollingUpdate"')
    ]
    rolling = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}
    assert refused_causes(samples.deployment(strategy=rolling)) == [
        (
            "spec.strategy.rollingUpdate.maxUnavailable",
            'Invalid value: "0%": may not be 0 when `maxSurge` is 0',
        )
    ]
    assert refused_causes(samples.deployment(minReadySeconds=600)) == [
        ("spec.progressDeadlineSeconds", "Invalid value: 600: must be greater than minReadySeconds")
    ]
    assert refused_causes(samples.deployment(template=samples.template(restartPolicy="Never"))) == [
        ("spec.template.spec.restartPolicy", 'Unsupported value: "Never": supported values: "Always"')
    ]


def test_containers() -> None:
    assert refused_causes(samples.deployment(template={"metadata": {"labels": {"app": "web"}}, "spec": {}})) == [
        ("spec.template.spec.containers", "Required value")
    ]
    assert refused_container(image="") == [("image", "Required value")]
    assert refused_container(name="A") == [("name", f'Invalid value: "A": {LABEL}')]
    twice = samples.template(samples.container(), samples.container())
    assert refused_causes(samples.deployment(template=twice)) == [
        ("spec.template.spec.containers[1].name", 'Duplicate value: "web"')
    ]
    both = samples.template(samples.container(), initContainers=[samples.container()])
    assert refused_causes(samples.deployment(template=both)) == [
        ("spec.template.spec.initContainers[0].name", 'Duplicate value: "web"')
    ]
    probe = {"tcpSocket": {"port": 1}}
    init = samples.template(samples.container(), initContainers=[samples.container("i", livenessProbe=probe)])
    assert refused_causes(samples.deployment(template=init)) == [
        (
            "spec.template.spec.initContainers[0].livenessProbe",
            "Forbidden: may not be set for init containers without restartPolicy=Always",
        )
    ]


def test_ports() -> None:
    assert refused_container(ports=[{"containerPort": 0}]) == [("ports[0].containerPort", "Required value")]
    assert refused_container(ports=[{"containerPort": 70000}]) == [
        ("ports[0].containerPort", "Invalid value: 70000: must be between 1 and 65535, inclusive")
    ]
    assert refused_container(ports=[{"containerPort": 80, "name": "much-too-long-name"}]) == [
        ("ports[0].name", 'Invalid value: "much-too-long-name": must be no more than 15 characters')
    ]
    ports = [{"containerPort": 80, "name": "http"}, {"containerPort": 81, "name": "http"}]
    assert refused_container(ports=ports) == [("ports[1].name", 'Duplicate value: "http"')]
    assert refused_container(ports=[{"containerPort": 80, "protocol": "ICMP"}]) == [
        ("ports[0].protocol", 'Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"')
    ]
    assert [message for _, message in refused_container(ports=[{"containerPort": 1, "name": "8-"}])] == [
        'Invalid value: "8-": must contain at least one letter (a-z)',
        'Invalid value: "8-": must not begin or end with a hyphen',
    ]


def test_environment() -> None:
    secret = {"secretKeyRef": {"name": "s", "key": "k"}}
    assert refused_container(env=[{"name": "A", "valueFrom": {}}]) == [
        (
            "env[0].valueFrom",
            'Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or '
            "`secretKeyRef`",
        )
    ]
    assert refused_container(env=[{"name": "A", "value": "x", "valueFrom": secret}]) == [
        ("env[0].valueFrom", 'Invalid value: "": may not be specified when `value` is not empty')
    ]
    two = {**secret, "configMapKeyRef": {"name": "c", "key": "k"}}
    assert refused_container(env=[{"name": "A", "valueFrom": two}]) == [
        ("env[0].valueFrom", 'Invalid value: "": may not have more than one field specified at a time')
    ]
    assert refused_container(env=[{"name": "A=B", "value": "x"}])[0][0] == "env[0].name"
    assert refused_container(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.foo"}}}]) == [
        (
            "env[0].valueFrom.fieldRef.fieldPath",
            'Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo',
        )
    ]
    assert refused_container(envFrom=[{}])[0][0] == "envFrom"


def test_probes() -> None:
    assert refused_container(livenessProbe={}) == [("livenessProbe", "Required value: must specify a handler type")]
    two = {"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}
    assert refused_container(readinessProbe=two) == [
        ("readinessProbe.tcpSocket", "Forbidden: may not specify more than 1 handler type")
    ]
    assert refused_container(livenessProbe={"tcpSocket": {"port": 1}, "successThreshold": 2}) == [
        ("livenessProbe.successThreshold", "Invalid value: 2: must be 1")
    ]
    assert refused_container(startupProbe={"exec": {}}) == [("startupProbe.exec.command", "Required value")]
    assert refused_container(readinessProbe={"httpGet": {"port": 0}}) == [
        ("readinessProbe.httpGet.port", "Invalid value: 0: must be between 1 and 65535, inclusive")
    ]


def test_resources() -> None:
    assert refused_container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}) == [
        ("resources.requests", 'Invalid value: "2": must be less than or equal to cpu limit of 1')
    ]
    assert refused_container(resources={"limits": {"cpu": "-1"}}) == [
        ("resources.limits[cpu]", 'Invalid value: "-1": must be greater than or equal to 0')
    ]
    assert refused_container(resources={"limits": {"nvidia.com/gpu": "500m"}}) == [
        ("resources.limits[nvidia.com/gpu]", 'Invalid value: "500m": must be an integer')
    ]
    assert refused_container(resources={"limits": {"gpu": "1"}})[0] == (
        "resources.limits",
        'Invalid value: "gpu": must be a standard resource type or fully qualified',
    )
    Server().create(
        samples.deployment(template=samples.template(samples.container(resources={"limits": {"nvidia.com/gpu": 1}})))
    )


def test_volumes_and_mounts() -> None:
    mounts = [{"name": "v", "mountPath": "/a"}, {"name": "x", "mountPath": "/a"}]
    obj = samples.deployment(
        template=samples.template(
            samples.container(volumeMounts=mounts), volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]
        )
    )
    prefix = "spec.template.spec"
    assert sorted(refused_causes(obj)) == [
        (f"{prefix}.containers[0].volumeMounts[1].mountPath", 'Invalid value: "/a": must be unique'),
        (f"{prefix}.containers[0].volumeMounts[1].name", 'Not found: "x"'),
        (f"{prefix}.volumes[0].hostPath", "Forbidden: may not specify more than 1 volume type"),
    ]
    volumes = [{"name": "v", "configMap": {}}, {"name": "v", "persistentVolumeClaim": {"claimName": ""}}]
    found = refused_causes(samples.deployment(template=samples.template(volumes=volumes)))
    assert found == [
        (f"{prefix}.volumes[0].configMap.name", "Required value"),
        (f"{prefix}.volumes[1].name", 'Duplicate value: "v"'),
        (f"{prefix}.volumes[1].persistentVolumeClaim.claimName", "Required value"),
    ]


def test_a_stateful_set_mounts_its_claim_templates() -> None:
    mount = samples.container(volumeMounts=[{"name": "data", "mountPath": "/data"}])
    claim = {**samples.claim(), "metadata": {"name": "data"}}
    Server().create(samples.stateful_set(template=samples.template(mount), volumeClaimTemplates=[claim]))
    found = refused_causes(samples.stateful_set(template=samples.template(mount)))
    assert found == [("spec.template.spec.containers[0].volumeMounts[0].name", 'Not found: "data"')]


def test_what_a_stateful_set_may_change() -> None:
    server = Server()
    server.create(samples.stateful_set())
    server.edit(
        spec__replicas=3,
        spec__ordinals={"start": 1},
        spec__template=samples.template(samples.container("other")),
        spec__updateStrategy={"type": "OnDelete"},
        spec__minReadySeconds=5,
        spec__persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete", "whenScaled": "Delete"},
        spec__revisionHistoryLimit=3,
    )
    for field, value in {"serviceName": "x", "podManagementPolicy": "Parallel"}.items():
        with pytest.raises(Problem, match="updates to statefulset spec for fields other than"):
            server.edit(**{f"spec__{field}": value})


def test_services() -> None:
    assert refused_causes(samples.service(ports=[])) == [("spec.ports", "Required value")]
    Server().create(samples.service(ports=[], clusterIP="None"))
    found = refused_causes(samples.service({"port": 80}, {"port": 80}))
    assert [field for field, _ in found] == ["spec.ports[0].name", "spec.ports[1].name", "spec.ports[1]"]
    assert refused_causes(samples.service({"port": 0}))[0] == (
        "spec.ports[0].port",
        "Invalid value: 0: must be between 1 and 65535, inclusive",
    )
    named = [{"name": "a", "port": 80}, {"name": "a", "port": 81}]
    assert refused_causes(samples.service(*named)) == [("spec.ports[1].name", 'Duplicate value: "a"')]
    assert refused_causes(samples.service(type="Magic")) == [
        (
            "spec.type",
            'Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        )
    ]
    assert refused_causes(samples.service({"port": 80, "nodePort": 30000})) == [
        ("spec.ports[0].nodePort", "Forbidden: may not be used when `type` is 'ClusterIP'")
    ]
    assert refused_causes(samples.service(type="ExternalName")) == [("spec.externalName", "Required value")]


def test_a_service_keeps_its_address() -> None:
    server = Server()
    server.create(samples.service(clusterIP="10.96.0.5", clusterIPs=["10.96.0.5"]))
    with pytest.raises(Problem) as caught:
        server.edit(spec__clusterIP="10.96.0.6", spec__clusterIPs=["10.96.0.6"])
    assert refusal(caught.value) == [("spec.clusterIPs[0]", 'Invalid value: ["10.96.0.6"]: may not change once set')]
    server.edit(spec__clusterIP=None, spec__clusterIPs=None)


def test_claims() -> None:
    assert refused_causes(samples.claim(accessModes=[])) == [
        ("spec.accessModes", "Required value: at least 1 access mode is required")
    ]
    assert refused_causes(samples.claim(resources={})) == [("spec.resources[storage]", "Required value")]
    assert refused_causes(samples.claim("0")) == [
        ("spec.resources[storage]", 'Invalid value: "0": must be greater than zero')
    ]
    assert refused_causes(samples.claim(accessModes=["Any"]))[0][1].startswith('Unsupported value: "Any"')


def test_a_bound_claim_grows_and_nothing_else() -> None:
    server = Server()
    server.create(samples.claim())
    fixed = "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName"
    with pytest.raises(Problem) as caught:
        server.edit(spec__resources__requests={"storage": "2Gi"})
    assert refusal(caught.value)[0][1].startswith(fixed)
    server.edit(spec__storageClassName="standard")
    server.edit(spec__volumeName="pv-1")
    server.edit(subresource="status", status={"phase": "Bound", "capacity": {"storage": "1Gi"}})
    server.edit(spec__resources__requests={"storage": "2Gi"})
    with pytest.raises(Problem) as caught:
        server.edit(spec__resources__requests={"storage": "512Mi"})
    assert refusal(caught.value) == [
        ("spec.resources.requests.storage", "Forbidden: field can not be less than status.capacity")
    ]
    for changes in (
        {"spec__volumeName": "pv-2"},
        {"spec__storageClassName": "x"},
        {"spec__accessModes": ["ReadOnlyMany"]},
    ):
        with pytest.raises(Problem) as caught:
            server.edit(**changes)
        assert refusal(caught.value)[0][1].startswith(fixed)


def test_config_maps_and_secrets() -> None:
    for make in (samples.config_map, samples.secret):
        assert refused_causes(make({"a/b": ""}))[0] == (
            "data[a/b]",
            "Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
            "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        )
        assert refused_causes(make({"..a": ""}))[0][1] == "Invalid value: \"..a\": must not start with '..'"
    limit = 1024 * 1024
    Server().create(samples.config_map({"a": "x" * limit}))
    assert refused_causes(samples.config_map({"a": "x" * limit, "b": "é"})) == [
        ("[]", "Too long: may not be more than 1048576 bytes")
    ]
    assert refused_causes(samples.secret(stringData={"a": "x" * (limit + 1)})) == [
        ("data", "Too long: may not be more than 1048576 bytes")
    ]
    assert refused_causes({**samples.config_map({"a": ""}), "binaryData": {"a": ""}}) == [
        ("data[a]", 'Invalid value: "a": duplicate of key present in binaryData')
    ]


def test_secret_types() -> None:
    assert refused_causes(samples.secret({"tls.crt": ""}, type="kubernetes.io/tls")) == [
        ("data[tls.key]", "Required value")
    ]
    server = Server()
    server.create(samples.secret({"a": ""}))
    with pytest.raises(Problem) as caught:
        server.edit(type="other")
    assert refusal(caught.value) == [("type", 'Invalid value: "other": field is immutable')]


def test_jobs() -> None:
    always = {"spec": {"containers": [samples.container()]}}
    assert refused_causes(samples.job(template=always)) == [
        (
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Always": supported values: "OnFailure", "Never"',
        )
    ]
    server = Server()
    server.create(samples.job())
    server.edit(spec__parallelism=2, spec__backoffLimit=1)
    with pytest.raises(Problem) as caught:
        server.edit(spec__completions=3)
    assert refusal(caught.value) == [("spec.completions", "Invalid value: 3: field is immutable")]
    changed = copy_json(server.obj)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    with pytest.raises(Problem) as caught:
        server.put(changed)
    assert [field for field, _ in refusal(caught.value)] == ["spec.template"]


def test_ingresses() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    assert refused_causes(samples.ingress({"path": "/", "backend": backend})) == [
        ("spec.rules[0].http.paths[0].pathType", "Required value: pathType must be specified")
    ]
    assert refused_causes(samples.ingress({"path": "x", "pathType": "Prefix", "backend": backend})) == [
        ("spec.rules[0].http.paths[0].path", 'Invalid value: "x": must be an absolute path')
    ]
    assert refused_causes(samples.ingress({"path": "/", "pathType": "Prefix"})) == [
        ("spec.rules[0].http.paths[0].backend", 'Invalid value: "": resource or service backend is required')
    ]
    assert refused_causes(samples.ingress(host="1.2.3.4"))[0][1] == (
        'Invalid value: "1.2.3.4": must be a DNS name, not an IP address'
    )
    Server().create(samples.ingress(host="*.example.com"))
    obj = samples.ingress()
    obj["spec"] = {}
    assert refused_causes(obj) == [("spec", "Invalid value: []: either `defaultBackend` or `rules` must be specified")]


def test_role_bindings() -> None:
    server = Server()
    server.create(samples.role_binding())
    with pytest.raises(Problem) as caught:
        server.edit(roleRef={**server.obj["roleRef"], "name": "writer"})
    assert refusal(caught.value) == [
        (
            "roleRef",
            'Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"writer"}: '
            "cannot change roleRef",
        )
    ]
    assert refused_causes(samples.role_binding(subjects=[{"kind": "ServiceAccount", "name": "x"}])) == [
        ("subjects[0].namespace", "Required value")
    ]
    group = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": group, "kind": "Role", "metadata": {"name": "r", "namespace": "ns"}, "rules": [{}]}
    assert [field for field, _ in refused_causes(role)] == [
        "rules[0].verbs",
        "rules[0].apiGroups",
        "rules[0].resources",
    ]


def test_a_running_pod_changes_its_image_only() -> None:
    server = Server()
    spec = samples.template()["spec"]
    server.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns"}, "spec": spec})
    image = copy_json(server.obj)
    image["spec"]["containers"][0]["image"] = "other:2"
    server.put(image)
    for field in ("hostname", "nodeName"):  # a pod gets its node by its binding
        with pytest.raises(Problem) as caught:
            server.edit(**{f"spec__{field}": "n"})
        assert refusal(caught.value)[0][1].startswith("Forbidden: pod updates may not change fields other than")
    more = copy_json(server.obj)
    more["spec"]["containers"].append(samples.container("two"))
    with pytest.raises(Problem, match="pod updates may not add or remove containers"):
        server.put(more)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (formats.label_key, ["a", "A_b.c", "example.com/a"], ["", "-a", "a/b/c", "/a", "a/", "E.com/a", "a" * 64]),
        (formats.label_value, ["", "a", "A.b_c-d", "a" * 63], ["-", "a b", "ä", "a" * 64, "a\n"]),
        (formats.dns_label, ["a", "a-1", "1"], ["", "A", "a.b", "-a", "a-", "a" * 64, "a\n"]),
        (formats.dns_subdomain, ["a", "a.b-c.d"], ["", ".a", "a..b", "a.", "a" * 254, "a\n"]),
        (formats.config_key, ["a", ".a", "A_b-c.d"], ["", ".", "..", "..a", "a/b", "a" * 254]),
        (formats.env_name, ["A", "a.b", "1", "A B"], ["", "A=B", "ä", "A\n"]),
        (formats.wildcard_subdomain, ["*.a.b"], ["*", "a.*", "*.A", "**.a"]),
    ],
)
def test_formats(check: Any, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if check(value)] == []
    assert [value for value in bad if not check(value)] == []
