"""What comes back is not what was sent: defaults, quantities, and values that vanish (trap 8)."""

from typing import Any

from tests.manifests import configmap, deployment, ingress, job, pvc, role, secret, service, statefulset

from .kube import Json, Kube, meta

CONTAINER: Json = {
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
POD: Json = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}


def contains(found: Any, expected: Any, path: str = "") -> None:
    """Every value of ``expected`` is found; lists are equally long."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), path
        for key, value in expected.items():
            assert key in found, f"{path}.{key}"
            contains(found[key], value, f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            contains(one, other, f"{path}[{index}]")
    else:
        assert found == expected, path


async def test_deployment(kube: Kube) -> None:
    probe = {"httpGet": {"path": "/", "port": 80}}
    made = await kube.make("deployments", deployment(ports=[{"containerPort": 80}], readinessProbe=probe))
    contains(
        made["spec"],
        {
            "replicas": 0,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        },
    )
    spec = made["spec"]["template"]["spec"]
    assert {key: value for key, value in spec.items() if key != "containers"} == POD
    probe_defaults = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
    assert spec["containers"] == [
        {
            **CONTAINER,
            "name": "app",
            "image": "app:1",
            "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "readinessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, **probe_defaults},
        }
    ]
    assert made["status"] == {}
    assert meta(made).get("annotations") is None


async def test_the_pull_policy_follows_the_tag(kube: Kube) -> None:
    images = {"app:1": "IfNotPresent", "app:latest": "Always", "app": "Always", "host.test:5000/app": "Always"}
    for number, (image, policy) in enumerate(images.items()):
        made = await kube.make("deployments", deployment(f"d{number}", image=image))
        assert made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == policy, image


async def test_statefulset(kube: Kube) -> None:
    made = await kube.make("statefulsets", statefulset(claim=True))
    contains(
        made["spec"],
        {
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "serviceName": "db",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
    )
    (claim,) = made["spec"]["volumeClaimTemplates"]
    contains(
        claim,
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"volumeMode": "Filesystem"},
            "status": {"phase": "Pending"},
        },
    )


async def test_service(kube: Kube) -> None:
    made = await kube.make("services", service())
    contains(
        made["spec"],
        {
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}],
        },
    )
    assert made["spec"]["clusterIP"]
    assert made["spec"]["clusterIPs"] == [made["spec"]["clusterIP"]]
    assert len(made["spec"]["ipFamilies"]) == 1
    assert made["status"] == {"loadBalancer": {}}


async def test_headless_and_node_port_services(kube: Kube) -> None:
    headless = await kube.make("services", service("headless", clusterIP="None"))
    assert (headless["spec"]["clusterIP"], headless["spec"]["clusterIPs"]) == ("None", ["None"])
    open_one = await kube.make("services", service("open", type="NodePort"))
    assert open_one["spec"]["ports"][0]["nodePort"] > 0
    assert open_one["spec"]["externalTrafficPolicy"] == "Cluster"


async def test_claim(kube: Kube) -> None:
    made = await kube.make("persistentvolumeclaims", pvc())
    contains(made, {"spec": {"volumeMode": "Filesystem"}, "status": {"phase": "Pending"}})
    assert meta(made)["finalizers"] == ["kubernetes.io/pvc-protection"]


async def test_secret_and_configmap(kube: Kube) -> None:
    made = await kube.make("secrets", secret())
    assert (made["type"], made["data"]) == ("Opaque", {"k": "dg=="})
    assert "stringData" not in made
    empty = await kube.make("configmaps", {**configmap(), "data": {"a": ""}})
    assert empty["data"] == {"a": ""}


async def test_job(kube: Kube) -> None:
    made = await kube.make("jobs", job(suspend=True))
    contains(made["spec"], {"backoffLimit": 6, "completions": 1, "parallelism": 1, "completionMode": "NonIndexed"})
    uid = meta(made)["uid"]
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert labels["batch.kubernetes.io/job-name"] == labels["job-name"] == "mig"
    assert labels["batch.kubernetes.io/controller-uid"] == labels["controller-uid"] == uid
    assert meta(made)["labels"] == labels
    assert (await kube.read("jobs", "mig"))["metadata"]["labels"] == labels


async def test_ingress_and_role_come_back_as_they_are(kube: Kube) -> None:
    made = await kube.make("ingresses", ingress())
    assert made["spec"]["rules"] == ingress()["spec"]["rules"]
    assert made["status"] == {"loadBalancer": {}}
    assert (await kube.make("roles", role()))["rules"] == role()["rules"]


async def test_quantities_are_put_into_their_usual_form(kube: Kube) -> None:
    wanted = {
        "cpu": ("0.5", "500m"),
        "memory": ("1024Mi", "1Gi"),
        "ephemeral-storage": ("1000k", "1M"),
    }
    resources = {
        "requests": {name: sent for name, (sent, _) in wanted.items()},
        "limits": {"cpu": 2, "memory": "1.5Gi"},
    }
    made = await kube.make("deployments", deployment(resources=resources))
    found = made["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert found == {
        "requests": {name: shown for name, (_, shown) in wanted.items()},
        "limits": {"cpu": "2", "memory": "1536Mi"},
    }


async def test_empty_values_vanish(kube: Kube) -> None:
    made = await kube.make(
        "deployments", deployment(command=[], args=None, env=[{"name": "A", "value": ""}], volumeMounts=[])
    )
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "A"}]
    assert not {"command", "args", "volumeMounts"} & set(container)


async def test_a_null_is_as_good_as_nothing(kube: Kube) -> None:
    sent = deployment()
    sent["spec"]["replicas"] = None
    sent["metadata"]["labels"] = None
    made = await kube.make("deployments", sent)
    assert made["spec"]["replicas"] == 1
    assert "labels" not in meta(made)


async def test_a_service_account_is_named_twice(kube: Kube) -> None:
    sent = deployment()
    sent["spec"]["template"]["spec"]["serviceAccountName"] = "robot"
    made = await kube.make("deployments", sent)
    assert made["spec"]["template"]["spec"]["serviceAccount"] == "robot"
