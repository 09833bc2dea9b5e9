"""The defaults that come back."""

import base64
from typing import Any

import pytest

from fields import samples
from kubesim import admit
from kubesim.jsondata import copy_json
from kubesim.problems import Problem

Object = dict[str, Any]


def filled(obj: Object) -> Object:
    new: Object = copy_json(obj)
    admit.default(new["kind"], new)
    return new


def test_deployment() -> None:
    spec = filled(samples.deployment())["spec"]
    assert {key: value for key, value in spec.items() if key not in ("selector", "template")} == {
        "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }
    assert spec["template"] == {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [
                {
                    "name": "web",
                    "image": "web:1",
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
    }
    assert filled(samples.deployment(strategy={"type": "Recreate"}))["spec"]["strategy"] == {"type": "Recreate"}


def test_stateful_set() -> None:
    obj = filled(
        samples.stateful_set(volumeClaimTemplates=[{"metadata": {"name": "d"}, "spec": samples.claim()["spec"]}])
    )
    spec = obj["spec"]
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (1, 10)
    assert spec["volumeClaimTemplates"] == [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "d"},
            "spec": {**samples.claim()["spec"], "volumeMode": "Filesystem"},
            "status": {"phase": "Pending"},
        }
    ]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("host:5000/nginx", "Always"),
        ("host:5000/nginx:1.2", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
        ("nginx:1", "IfNotPresent"),
    ],
)
def test_pull_policy_by_tag(image: str, policy: str) -> None:
    obj = filled(samples.deployment(template=samples.template({"name": "c", "image": image})))
    assert obj["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_inside_of_containers_and_volumes() -> None:
    container = samples.container(
        ports=[{"containerPort": 80}],
        readinessProbe={"httpGet": {"port": 80}, "initialDelaySeconds": 0},
        livenessProbe={"tcpSocket": {"port": "http"}, "periodSeconds": 3},
        lifecycle={"preStop": {"httpGet": {"port": 1}}, "stopSignal": "SIGTERM"},
        env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        resources={"requests": {"cpu": "100u"}},
    )
    volumes = [
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "s", "secret": {"secretName": "s", "defaultMode": 256}},
        {"name": "h", "hostPath": {"path": "/x"}},
        {"name": "e"},
        {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    ]
    pod = filled(samples.deployment(template=samples.template(container, volumes=volumes)))["spec"]["template"]["spec"]
    found = pod["containers"][0]
    assert found["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    rest = {"timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
    get = {"port": 80, "path": "/", "scheme": "HTTP"}
    assert found["readinessProbe"] == {"httpGet": get, "periodSeconds": 10, **rest}
    assert found["livenessProbe"] == {"tcpSocket": {"port": "http"}, "periodSeconds": 3, **rest}
    assert found["lifecycle"]["preStop"]["httpGet"] == {"port": 1, "path": "/", "scheme": "HTTP"}
    assert found["env"][0]["valueFrom"] == {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}
    assert found["resources"] == {"requests": {"cpu": "1m"}}
    assert pod["volumes"] == [
        {"name": "c", "configMap": {"name": "c", "defaultMode": 420}},
        {"name": "s", "secret": {"secretName": "s", "defaultMode": 256}},
        {"name": "h", "hostPath": {"path": "/x", "type": ""}},
        {"name": "e", "emptyDir": {}},
        {
            "name": "p",
            "projected": {
                "defaultMode": 420,
                "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
            },
        },
    ]


def test_service_account_has_two_names() -> None:
    pod = filled(samples.deployment(template=samples.template(serviceAccountName="sa")))["spec"]["template"]["spec"]
    assert pod["serviceAccount"] == pod["serviceAccountName"] == "sa"


def test_services() -> None:
    assert filled(samples.service({"port": 80}))["spec"] == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "selector": {"app": "web"},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    }
    spec = filled(samples.service({"port": 80, "targetPort": "http"}, type="LoadBalancer"))["spec"]
    assert spec["ports"][0]["targetPort"] == "http"
    assert spec["externalTrafficPolicy"] == "Cluster"
    assert spec["allocateLoadBalancerNodePorts"] is True
    affinity = filled(samples.service(sessionAffinity="ClientIP"))["spec"]["sessionAffinityConfig"]
    assert affinity == {"clientIP": {"timeoutSeconds": 10800}}


def test_small_kinds() -> None:
    claim = filled(samples.claim())
    assert claim["spec"]["volumeMode"] == "Filesystem"
    assert claim["status"] == {"phase": "Pending"}
    assert filled(samples.secret())["type"] == "Opaque"
    namespace = filled({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"}
    binding = samples.role_binding()
    del binding["roleRef"]["apiGroup"]
    assert filled(binding)["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"
    pod = filled({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": samples.template()["spec"]})
    assert pod["spec"]["enableServiceLinks"] is True


def test_string_data_becomes_data() -> None:
    obj = filled(samples.secret({"a": "MQ=="}, stringData={"a": "2", "b": "3"}))
    assert obj["data"] == {key: base64.b64encode(value).decode() for key, value in {"a": b"2", "b": b"3"}.items()}
    assert "stringData" not in obj


def test_a_pod_requests_what_it_is_limited_to_and_a_template_does_not() -> None:
    spec = samples.template(samples.container(resources={"limits": {"cpu": "1"}}))["spec"]
    pod = filled({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1"}
    obj = filled(samples.deployment(template={"metadata": {}, "spec": spec}))
    assert "requests" not in obj["spec"]["template"]["spec"]["containers"][0]["resources"]


JOB_LABELS = {
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "once",
    "controller-uid": "u",
    "job-name": "once",
}


def test_a_job_selects_its_own_pods() -> None:
    obj = filled(samples.job())
    assert obj["spec"]["backoffLimit"] == 6
    assert (obj["spec"]["completions"], obj["spec"]["parallelism"]) == (1, 1)
    assert obj["spec"]["completionMode"] == "NonIndexed"
    assert obj["spec"]["suspend"] is False
    assert obj["spec"]["podReplacementPolicy"] == "TerminatingOrFailed"
    obj["metadata"]["uid"] = "u"
    admit.complete("Job", obj)
    assert obj["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    assert obj["spec"]["template"]["metadata"]["labels"] == JOB_LABELS
    assert obj["metadata"]["labels"] == JOB_LABELS
    admit.validate_create("Job", obj)


@pytest.mark.parametrize("own", [None, {"tier": "b"}])
def test_a_job_without_labels_has_those_of_its_template(own: dict[str, str] | None) -> None:
    obj = samples.job()
    obj["spec"]["template"]["metadata"] = {"labels": {"tier": "a"}}
    if own is not None:
        obj["metadata"]["labels"] = dict(own)
    obj = filled(obj)
    obj["metadata"]["uid"] = "u"
    admit.complete("Job", obj)
    assert obj["spec"]["template"]["metadata"]["labels"] == {"tier": "a", **JOB_LABELS}
    assert obj["metadata"]["labels"] == (own or {"tier": "a", **JOB_LABELS})


def test_a_job_that_selects_by_hand_gets_no_labels() -> None:
    obj = samples.job(manualSelector=True, selector={"matchLabels": {"tier": "a"}})
    obj["spec"]["template"]["metadata"] = {"labels": {"tier": "a"}}
    obj = filled(obj)
    obj["metadata"]["uid"] = "u"
    admit.complete("Job", obj)
    assert obj["metadata"]["labels"] == obj["spec"]["template"]["metadata"]["labels"] == {"tier": "a"}
    admit.validate_create("Job", obj)


def test_a_job_cannot_have_the_labels_of_another() -> None:
    obj = samples.job()
    obj["spec"]["template"]["metadata"] = {"labels": {"job-name": "other"}}
    obj = filled(obj)
    obj["metadata"]["uid"] = "u"
    admit.complete("Job", obj)
    with pytest.raises(Problem, match=r"spec.template.metadata.labels\[job-name\]: .* must be 'once'"):
        admit.validate_create("Job", obj)


def test_a_cron_job_leaves_the_defaults_of_jobs_to_its_jobs() -> None:
    metadata = {"name": "nightly", "namespace": "ns"}
    spec = {"schedule": "0 1 * * *", "jobTemplate": {"spec": samples.job()["spec"]}}
    obj = filled({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec})
    assert obj["spec"]["concurrencyPolicy"] == "Allow"
    assert obj["spec"]["suspend"] is False
    assert (obj["spec"]["successfulJobsHistoryLimit"], obj["spec"]["failedJobsHistoryLimit"]) == (3, 1)
    assert set(obj["spec"]["jobTemplate"]["spec"]) == {"template"}
    admit.validate_create("CronJob", obj)


def test_limits_of_containers_fill_each_other() -> None:
    limit = {"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}, "default": {"memory": "1Gi"}}
    spec = {"limits": [limit]}
    obj = filled({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": spec})
    assert obj["spec"]["limits"][0]["default"] == {"cpu": "2", "memory": "1Gi"}
    assert obj["spec"]["limits"][0]["defaultRequest"] == {"cpu": "2", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: Object, quality: str) -> None:
    spec = samples.template(samples.container(resources=resources))["spec"]
    pod = filled({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    admit.complete("Pod", pod)
    assert pod["status"]["qosClass"] == quality
