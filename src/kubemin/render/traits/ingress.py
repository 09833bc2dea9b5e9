"""``ingress``: routes from outside."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.ingress import REGEX, STRIP, Ingress, Rewrite, Route, Tls

_NGINX = "nginx.ingress.kubernetes.io"


def apply(ingresses: Sequence[Ingress], pod: Pod, context: Context) -> None:
    """Make the Ingresses: one an entry and different rewrite."""
    for ingress in ingresses:
        names = ingress.object_names(context.main)
        for name, (rewrite, routes) in zip(names, ingress.by_rewrite(), strict=True):
            spec: Manifest = {}
            if ingress.ingress_class_name:
                spec["ingressClassName"] = ingress.ingress_class_name
            if ingress.tls:
                spec["tls"] = [_tls(tls, context) for tls in ingress.tls]
            spec["rules"] = _rules(ingress, routes, context)
            pod.objects.append(
                context.manifest(
                    "Ingress",
                    name,
                    {"spec": spec},
                    more_labels=ingress.label,
                    annotations={**ingress.annotations, **_annotations(rewrite)},
                )
            )


def _tls(tls: Tls, context: Context) -> Manifest:
    body = {key: value for key, value in tls.dump().items() if value}
    return {**body, "secretName": context.referred("Secret", tls.secret_name)} if tls.secret_name else body


def _rules(ingress: Ingress, routes: Sequence[Route], context: Context) -> list[Manifest]:
    by_host: dict[str, list[Manifest]] = {}
    for route in routes:
        for host in [route.host] if route.host else ingress.hosts or [""]:
            by_host.setdefault(host, []).append(_path(route, ingress, context))
    return [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in by_host.items()]


def _path(route: Route, ingress: Ingress, context: Context) -> Manifest:
    service = context.referred("Service", route.backend.service_name)
    path, path_type = route.path, route.path_type or ingress.default_path_type
    if route.rewrite and route.rewrite.kind in (REGEX, STRIP):
        # Patterns are no paths: only the controller knows what they mean.
        path_type = "ImplementationSpecific"
        path = (route.rewrite.match or path) if route.rewrite.kind == REGEX else f"{path.rstrip('/')}(/|$)(.*)"
    return {
        "path": path,
        "pathType": path_type,
        "backend": {"service": {"name": service, "port": {"number": route.backend.service_port}}},
    }


def _annotations(rewrite: Rewrite | None) -> dict[str, str]:
    if rewrite is None:
        return {}
    if rewrite.kind == STRIP:
        return {f"{_NGINX}/use-regex": "true", f"{_NGINX}/rewrite-target": f"{rewrite.replacement.rstrip('/')}/$2"}
    target = {f"{_NGINX}/rewrite-target": rewrite.replacement}
    return {f"{_NGINX}/use-regex": "true", **target} if rewrite.kind == REGEX else target
