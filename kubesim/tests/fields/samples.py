"""Objects to write, as users write them."""

from typing import Any

Object = dict[str, Any]


def config_map(data: dict[str, str] | None = None, **metadata: Any) -> Object:
    obj: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "ns", **metadata}}
    return obj if data is None else {**obj, "data": data}


def container(name: str = "web", **fields: Any) -> Object:
    return {"name": name, "image": f"{name}:1", **fields}


def template(*containers: Object, **spec: Any) -> Object:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": list(containers) or [container()], **spec}}


def workload(kind: str, **spec: Any) -> Object:
    spec.setdefault("template", template())
    metadata = {"name": "web", "namespace": "ns"}
    selector = {"matchLabels": {"app": "web"}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"selector": selector, **spec}}


def deployment(**spec: Any) -> Object:
    return workload("Deployment", **spec)


def stateful_set(**spec: Any) -> Object:
    return workload("StatefulSet", serviceName="web", **spec)


def service(*ports: Object, **spec: Any) -> Object:
    spec = {"selector": {"app": "web"}, "ports": list(ports) or [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "ns"}, "spec": spec}


def claim(size: str = "1Gi", **spec: Any) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    metadata = {"name": "data", "namespace": "ns"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def secret(data: dict[str, str] | None = None, **fields: Any) -> Object:
    obj: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": "ns"}, **fields}
    return obj if data is None else {**obj, "data": data}


def job(**spec: Any) -> Object:
    pod = {"spec": {"containers": [container()], "restartPolicy": "Never"}}
    metadata = {"name": "once", "namespace": "ns"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": pod, **spec}}


def ingress(*paths: Object, **rule: Any) -> Object:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    http = {"paths": list(paths) or [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    metadata = {"name": "web", "namespace": "ns"}
    spec = {"rules": [{"host": "example.com", "http": http, **rule}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def role_binding(role: str = "reader", **fields: Any) -> Object:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "bind", "namespace": "ns"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "ns"}],
        **fields,
    }
