"""Fields that are accepted and kept, because clients send them, and that change nothing: each is a warning."""

from collections.abc import Iterator

from kubemin.spec.application import Application
from kubemin.spec.issues import Issue

IGNORED = "IGNORED_FIELD"
_BACKEND = {
    "weight": "an Ingress sends all requests for a path to one Service",
    "headers": "an Ingress does not choose a Service by headers",
}


def ignored_fields(application: Application) -> Iterator[Issue]:
    """What is in the application, and has no effect."""
    for index, component in enumerate(application.component):
        for number, ingress in enumerate(component.traits.ingress):
            for place, route in enumerate(ingress.routes):
                path = f"component[{index}].traits.ingress[{number}].routes[{place}].backend"
                for name, why in _BACKEND.items():
                    if getattr(route.backend, name):
                        what = f'Ingress "{ingress.name or component.name}"'
                        yield Issue(f"{path}.{name}", IGNORED, f"{what}: {name} has no effect, as {why}.")
