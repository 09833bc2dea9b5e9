"""Small objects to try things with."""

from typing import Any

Json = dict[str, Any]


def configmap(name: str = "web", data: Json | None = None, **meta: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}, "data": data or {"a": "1"}}


def secret(name: str = "web", **more: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"k": "v"}, **more}


def deployment(name: str = "web", *, image: str = "app:1", replicas: int | None = 0, **container: Any) -> Json:
    spec: Json = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "app", "image": image, **container}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def statefulset(
    name: str = "db", *, image: str = "app:1", replicas: int = 0, claim: bool = False, **container: Any
) -> Json:
    found = deployment(name, image=image, replicas=replicas, **container)
    found["kind"] = "StatefulSet"
    found["spec"]["serviceName"] = name
    if claim:
        found["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": pvc()["spec"]}]
    return found


def service(name: str = "web", **spec: Any) -> Json:
    spec = {"selector": {"app": name}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def pvc(name: str = "data") -> Json:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def role(name: str = "reader") -> Json:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules}


def ingress(name: str = "web") -> Json:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"host": "web.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": rules},
    }


def job(name: str = "mig", *, image: str = "app:1", **spec: Any) -> Json:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": image}]}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, **spec}}


def account(name: str = "robot") -> Json:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def namespace(name: str, **labels: str) -> Json:
    labelled = {"labels": labels} if labels else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **labelled}}


def owned_by(owner: Json, **more: Any) -> list[Json]:
    """ownerReferences to an object."""
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **more,
        }
    ]
