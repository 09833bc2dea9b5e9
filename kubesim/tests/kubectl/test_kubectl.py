"""What people type at a cluster works at the simulated one, and prints what they know."""

import asyncio
from typing import Any

from .conftest import Kubectl

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def deployment(image: str = "app:1", replicas: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": image, "ports": [{"containerPort": 80}]}]},
            },
        },
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "b"}}
STATEFUL_SET = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db"},
    "spec": {
        "replicas": 2,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {
                "containers": [
                    {"name": "main", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
                ]
            },
        },
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
    },
}


async def test_apply_creates_leaves_and_changes(kubectl: Kubectl) -> None:
    created = await kubectl("apply", "-f", "-", stdin=[deployment(), SERVICE, CONFIG])
    assert created.splitlines() == ["deployment.apps/web created", "service/web created", "configmap/conf created"]
    again = await kubectl("apply", "-f", "-", stdin=[deployment(), SERVICE, CONFIG])
    assert again.splitlines() == ["deployment.apps/web unchanged", "service/web unchanged", "configmap/conf unchanged"]
    changed = {**CONFIG, "data": {"c": "d"}}
    assert await kubectl("apply", "-f", "-", stdin=changed) == "configmap/conf configured\n"
    live = await kubectl.object("configmap", "conf")
    assert live["data"] == {"c": "d"}
    assert '"c":"d"' in live["metadata"]["annotations"][LAST_APPLIED]


async def test_apply_server_side(kubectl: Kubectl) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    out = await kubectl(*apply, stdin=[deployment(), SERVICE])
    assert out.splitlines() == ["deployment.apps/web serverside-applied", "service/web serverside-applied"]
    live = await kubectl.object("deployment", "web", "--show-managed-fields")
    owners = {(entry["manager"], entry["operation"]) for entry in live["metadata"]["managedFields"]}
    assert ("kubectl", "Apply") in owners
    code, _, err = await kubectl.run(*apply, "--field-manager", "other", stdin=deployment("app:2"))
    assert code == 1
    assert 'conflict with "kubectl": .spec.template.spec.containers[name="main"].image' in err
    await kubectl(*apply, "--field-manager", "other", "--force-conflicts", stdin=deployment("app:2"))
    live = await kubectl.object("deployment", "web")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2"


async def test_an_unknown_field_is_refused(kubectl: Kubectl) -> None:
    body = deployment()
    body["spec"]["replicaz"] = 1
    for server_side in ((), ("--server-side",)):
        code, _, err = await kubectl.run("apply", *server_side, "-f", "-", stdin=body)
        assert code == 1
        assert "replicaz" in err
    assert await kubectl("get", "deployments", "-o", "name") == ""


async def test_dry_runs_and_diff(kubectl: Kubectl) -> None:
    dry = await kubectl("apply", "--dry-run=server", "-f", "-", stdin=CONFIG)
    assert dry == "configmap/conf created (server dry run)\n"
    assert (await kubectl.run("get", "configmap", "conf"))[0] == 1
    await kubectl("apply", "-f", "-", stdin=CONFIG)
    code, out, _ = await kubectl.run("diff", "-f", "-", stdin={**CONFIG, "data": {"a": "new"}})
    assert code == 1
    assert "-  a: b\n+  a: new" in out
    assert (await kubectl.object("configmap", "conf"))["data"] == {"a": "b"}


async def test_a_rollout_from_start_to_finish(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=deployment())
    assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    waited = await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=50s")
    assert waited == "deployment.apps/web condition met\n"
    header, row = (await kubectl("get", "deployment", "web")).splitlines()
    assert header.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:4] == ["web", "2/2", "2", "2"]
    pods = (await kubectl("get", "pods", "--no-headers")).splitlines()
    assert [line.split()[1:4] for line in pods] == [["1/1", "Running", "0"]] * 2
    await kubectl("set", "image", "deployment/web", "main=app:2")
    assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    assert "app:2" in await kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}")
    code, out, _ = await kubectl.run("rollout", "undo", "deployment/web")
    assert (code, out) == (0, "deployment.apps/web rolled back\n")
    live = await kubectl.object("deployment", "web")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"


async def test_patch_and_scale(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=deployment())
    strategic = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}'
    assert await kubectl("patch", "deployment", "web", "-p", strategic) == "deployment.apps/web patched\n"
    await kubectl("patch", "deployment", "web", "--type=merge", "-p", '{"metadata":{"labels":{"x":"y"}}}')
    operation = '[{"op":"replace","path":"/nowhere/deep","value":1}]'
    code, _, err = await kubectl.run("patch", "deployment", "web", "--type=json", "-p", operation)
    assert (code, err) == (
        1,
        "The request is invalid: the server rejected our request due to an error in our request\n",
    )
    assert await kubectl("scale", "deployment", "web", "--replicas=3") == "deployment.apps/web scaled\n"
    live = await kubectl.object("deployment", "web")
    assert len(live["spec"]["template"]["spec"]["containers"]) == 2
    assert live["metadata"]["labels"] == {"app": "web", "x": "y"}
    assert live["spec"]["replicas"] == 3
    code, _, err = await kubectl.run("scale", "deployment", "web", "--replicas=1", "--current-replicas=7")
    assert code == 1
    assert "Expected replicas to be 7, was 3" in err


async def test_a_stateful_set_with_volumes(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=STATEFUL_SET)
    await kubectl("rollout", "status", "statefulset/db", "--timeout=50s")
    assert (await kubectl("get", "pods", "-o", "name")).splitlines() == ["pod/db-0", "pod/db-1"]
    claims = (await kubectl("get", "pvc", "--no-headers")).splitlines()
    assert [line.split()[:2] for line in claims] == [["data-db-0", "Bound"], ["data-db-1", "Bound"]]
    await kubectl("delete", "statefulset", "db", "--wait", "--timeout=50s")
    await kubectl("wait", "--for=delete", "pod/db-0", "pod/db-1", "--timeout=50s")
    assert len((await kubectl("get", "pvc", "-o", "name")).splitlines()) == 2


async def test_get_w_shows_changes_as_they_come(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=CONFIG)
    async with kubectl.watching("get", "configmap", "conf", "-w") as lines, asyncio.timeout(120):
        assert (await lines.readline()).split() == [b"NAME", b"DATA", b"AGE"]
        assert (await lines.readline()).split()[:2] == [b"conf", b"1"]
        await kubectl("patch", "configmap", "conf", "--type=merge", "-p", '{"data":{"more":"x"}}')
        assert (await lines.readline()).split()[:2] == [b"conf", b"2"]
        await kubectl("delete", "configmap", "conf")
        assert (await lines.readline()).split()[:2] == [b"conf", b"2"]
    await kubectl("apply", "-f", "-", stdin=CONFIG)
    options = ("--output-watch-events", "-o", "jsonpath={.type} {.object.metadata.name}{'\\n'}")
    async with kubectl.watching("get", "configmaps", "-w", "--field-selector=metadata.name=conf", *options) as lines:
        async with asyncio.timeout(120):
            assert await lines.readline() == b"ADDED conf\n"
            await kubectl("delete", "configmap", "conf")
            assert await lines.readline() == b"DELETED conf\n"


async def test_delete_waits_until_it_is_gone(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=[deployment(), SERVICE, CONFIG])
    await kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    out = await kubectl("delete", "deployment/web", "service/web", "--wait", "--cascade=foreground", "--timeout=50s")
    assert [line.split()[1:3] for line in out.splitlines()] == [['"web"', "deleted"]] * 2
    # Foreground: its Pods went before it.
    assert await kubectl("get", "pods,replicasets,deployments", "-o", "name") == ""
    code, _, err = await kubectl.run("delete", "deployment", "web")
    assert (code, err) == (1, 'Error from server (NotFound): deployments.apps "web" not found\n')
    assert await kubectl("delete", "deployment", "web", "--ignore-not-found") == ""


async def test_delete_waits_for_a_finalizer(kubectl: Kubectl) -> None:
    held = {**CONFIG, "metadata": {"name": "conf", "finalizers": ["example.com/wait"]}}
    await kubectl("apply", "-f", "-", stdin=held)
    code, _, err = await kubectl.run("delete", "configmap", "conf", "--wait", "--timeout=1s")
    assert code == 1
    assert "timed out waiting for the condition" in err
    async with kubectl.watching("delete", "configmap", "conf", "--wait", "--timeout=50s") as lines:
        assert b'configmap "conf" deleted' in await lines.readline()
        await kubectl("patch", "configmap", "conf", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        async with asyncio.timeout(120):
            assert await lines.read() == b""


async def test_a_namespace_with_content(kubectl: Kubectl) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    inside = deployment()
    inside["metadata"]["namespace"] = "shop"
    await kubectl("apply", "-f", "-", stdin=[space, inside])
    await kubectl("-n", "shop", "rollout", "status", "deployment/web", "--timeout=50s")
    assert "kube-root-ca.crt" in await kubectl("-n", "shop", "get", "configmaps", "-o", "name")
    assert "default" in await kubectl("-n", "shop", "get", "serviceaccounts", "-o", "name")
    await kubectl("delete", "namespace", "shop", "--wait", "--timeout=50s")
    assert "shop" not in await kubectl("get", "namespaces,pods,deployments", "-A")


async def test_describe_tells_the_story(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=[deployment(), SERVICE, CONFIG, STATEFUL_SET])
    await kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    await kubectl("rollout", "status", "statefulset/db", "--timeout=50s")
    web = await kubectl("describe", "deployment", "web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in web
    assert "ScalingReplicaSet" in web
    (pod, _) = (await kubectl("get", "pods", "-l", "app=web", "-o", "name")).split()
    told = await kubectl("describe", pod)
    assert "Controlled By:  ReplicaSet/web-" in told
    assert "Successfully assigned default/web-" in told
    service = await kubectl("describe", "service", "web")
    assert "TargetPort:               80/TCP" in service
    assert "Endpoints:                10." in service
    assert "Data\n====\na:\n----\nb\n" in await kubectl("describe", "configmap", "conf")
    assert "StorageClass:  standard" in await kubectl("describe", "pvc", "data-db-0")
    for kind in ("statefulset", "replicasets", "namespace", "node", "persistentvolumes", "storageclass"):
        assert "Name:" in await kubectl("describe", kind)


async def test_everyday_reading(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=[deployment(), SERVICE, STATEFUL_SET])
    await kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    everything = await kubectl("get", "all,pvc,configmaps,secrets,endpointslices,ingresses,nodes", "-o", "wide")
    for name in ("deployment.apps/web", "service/web", "statefulset.apps/db", "node/sim-node"):
        assert name in everything
    assert "SuccessfulCreate" in await kubectl("get", "events", "--sort-by=.metadata.creationTimestamp")
    assert "Scaled up replica set" in await kubectl("events", "--for", "deployment/web")
    code, out, _ = await kubectl.run("logs", "deployment/web")
    assert (code, "main: " in out) == (0, True)
    assert "deployments" in await kubectl("api-resources", "--api-group=apps", "-o", "name")
    assert "apps/v1" in await kubectl("api-versions")


async def test_create_replace_label_and_annotate(kubectl: Kubectl) -> None:
    assert await kubectl("create", "-f", "-", stdin=CONFIG) == "configmap/conf created\n"
    code, _, err = await kubectl.run("create", "-f", "-", stdin=CONFIG)
    assert (code, 'configmaps "conf" already exists' in err) == (1, True)
    replaced = {**CONFIG, "data": {"only": "this"}}
    assert await kubectl("replace", "-f", "-", stdin=replaced) == "configmap/conf replaced\n"
    await kubectl("label", "configmap", "conf", "tier=front")
    await kubectl("annotate", "configmap", "conf", "note=hello")
    live = await kubectl.object("configmap", "conf")
    assert live["data"] == {"only": "this"}
    assert live["metadata"]["labels"] == {"tier": "front"}
    assert live["metadata"]["annotations"]["note"] == "hello"
    assert await kubectl("delete", "configmaps", "-l", "tier=front") != ""


async def test_create_from_the_command_line(kubectl: Kubectl) -> None:
    """These commands send protobuf."""
    for command in (
        "create namespace shop",
        "create configmap conf --from-literal=a=b",
        "create secret generic hidden --from-literal=a=b",
        "create serviceaccount robot",
        "create deployment web --image=app:1 --replicas=2 --port=80 -- serve --fast",
        "create service clusterip web --tcp=80:8080",
        "create service nodeport open --tcp=80",
        "create service externalname away --external-name=example.com",
        "create job once --image=app:1",
        "create cronjob often --image=app:1 --schedule=@daily",
        "create job again --from=cronjob/often",
        "create ingress web --class=nginx --rule=a.example/path*=web:80,tls=cert",
        "create role reader --verb=get,list --resource=pods,deployments.apps",
        "create clusterrole nodes --verb=get --resource=nodes",
        "create rolebinding reader --role=reader --serviceaccount=default:robot",
        "create clusterrolebinding nodes --clusterrole=nodes --user=somebody",
        "create quota small --hard=pods=40,cpu=2",
        "create poddisruptionbudget some --min-available=1 --selector=app=web",
        "create poddisruptionbudget most --max-unavailable=10% --selector=app=db",
    ):
        assert "created" in await kubectl(*command.split())
    deployment = (await kubectl.object("deployment", "web"))["spec"]
    container = deployment["template"]["spec"]["containers"][0]
    assert (deployment["replicas"], container["command"]) == (2, ["serve", "--fast"])
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert (await kubectl.object("secret", "hidden"))["data"] == {"a": "Yg=="}
    assert (await kubectl.object("service", "web"))["spec"]["ports"][0]["targetPort"] == 8080
    ingress = (await kubectl.object("ingress", "web"))["spec"]
    (path,) = ingress["rules"][0]["http"]["paths"]
    assert (ingress["ingressClassName"], path["path"], path["pathType"]) == ("nginx", "/path", "Prefix")
    assert path["backend"] == {"service": {"name": "web", "port": {"number": 80}}}
    assert ingress["tls"] == [{"hosts": ["a.example"], "secretName": "cert"}]
    rules = (await kubectl.object("role", "reader"))["rules"]
    assert [(rule["apiGroups"], rule["resources"]) for rule in rules] == [([""], ["pods"]), (["apps"], ["deployments"])]
    assert (await kubectl.object("quota", "small"))["spec"]["hard"] == {"pods": "40", "cpu": "2"}
    budgets = await kubectl.object("poddisruptionbudgets")
    assert [item["spec"].get("maxUnavailable") for item in budgets["items"]] == ["10%", None]
    assert (await kubectl.object("job", "again"))["metadata"]["ownerReferences"][0]["name"] == "often"
    assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=50s")


async def test_from_client_side_to_server_side_apply(kubectl: Kubectl) -> None:
    """What kubectl applied before is its own to change, though another manager name holds it."""
    await kubectl("apply", "-f", "-", stdin=deployment())
    out = await kubectl("apply", "--server-side", "-f", "-", stdin=deployment(replicas=3))
    assert out == "deployment.apps/web serverside-applied\n"
    assert (await kubectl.object("deployment", "web"))["spec"]["replicas"] == 3


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


async def test_a_list_is_created_and_applied_item_by_item(kubectl: Kubectl) -> None:
    created = await kubectl("create", "-f", "-", stdin=listed(CONFIG, SERVICE))
    assert created == "configmap/conf created\nservice/web created\n"
    applied = await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=listed(CONFIG, SERVICE))
    assert applied == "configmap/conf serverside-applied\nservice/web serverside-applied\n"
    wrong = {**CONFIG, "datum": {}}
    code, _, err = await kubectl.run("create", "-f", "-", stdin=listed(wrong))
    assert (code, 'unknown field "datum"' in err) == (1, True)


async def test_what_get_prints_can_be_applied(kubectl: Kubectl) -> None:
    everything = listed(deployment(), SERVICE, CONFIG, STATEFUL_SET)
    await kubectl("apply", "-f", "-", stdin=everything)
    await kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    await kubectl("rollout", "status", "statefulset/db", "--timeout=50s")
    shown = await kubectl.object("deployments,services,configmaps,statefulsets")
    assert shown["kind"] == "List"
    code, out, err = await kubectl.run("apply", "-f", "-", stdin=shown)
    assert code == 0, err
    for name in ("deployment.apps/web", "service/web", "configmap/conf", "statefulset.apps/db"):
        assert name in out
