"""``expose``: where a component is reached, by an Ingress or by a route of the Gateway API."""

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.expose import GATEWAY, Expose, ExposedPath

_GATEWAY_API = "gateway.networking.k8s.io/v1"
_PATH_TYPES = {"Prefix": "PathPrefix", "Exact": "Exact"}


def apply(expose: Expose, pod: Pod, context: Context) -> None:
    """Make the Ingress or the HTTPRoute. A Gateway is never made: it is the cluster's."""
    via_gateway = expose.via == GATEWAY
    pod.objects.append(
        context.manifest(
            expose.kind,
            expose.object_name(context.main),
            {"spec": _route(expose, context) if via_gateway else _ingress(expose, context)},
            annotations=expose.annotations,
            api_version=_GATEWAY_API if via_gateway else None,
        )
    )


def _port(path: ExposedPath, expose: Expose, context: Context) -> int:
    return path.port or expose.port or context.component.port_numbers[0]


def _ingress(expose: Expose, context: Context) -> Manifest:
    name = context.name("Service")
    paths = [
        {
            "path": one.path,
            "pathType": one.path_type,
            "backend": {"service": {"name": name, "port": {"number": _port(one, expose, context)}}},
        }
        for one in expose.all_paths
    ]
    spec: Manifest = {}
    if expose.class_name:
        spec["ingressClassName"] = expose.class_name
    if expose.tls:
        spec["tls"] = [
            {
                **({"hosts": hosts} if (hosts := tls.hosts or expose.hosts) else {}),
                **({"secretName": context.referred("Secret", tls.secret_name)} if tls.secret_name else {}),
            }
            for tls in expose.tls
        ]
    spec["rules"] = [{"host": host, "http": {"paths": paths}} for host in expose.hosts] or [{"http": {"paths": paths}}]
    return spec


def _route(expose: Expose, context: Context) -> Manifest:
    spec: Manifest = {"parentRefs": [parent.dump() for parent in expose.parent_refs]}
    if expose.hosts:
        spec["hostnames"] = expose.hosts
    spec["rules"] = [
        {
            "matches": [{"path": {"type": _PATH_TYPES[one.path_type], "value": one.path}}],
            "backendRefs": [{"name": context.name("Service"), "port": _port(one, expose, context)}],
        }
        for one in expose.all_paths
    ]
    return spec
