"""From an application to Kubernetes manifests. Pure: the same input gives the same bytes."""

from collections.abc import Mapping

from kubemin.render.components import RENDERERS
from kubemin.render.config_digest import config_digests, digests_of
from kubemin.render.context import Context
from kubemin.render.errors import RenderError
from kubemin.render.model import Fetch, Rendered
from kubemin.render.references import operator_secret, references
from kubemin.spec.application import Application
from kubemin.spec.expressions import resolved

__all__ = ["Fetch", "RenderError", "Rendered", "digests_of", "operator_secret", "references", "render"]


def render(
    application: Application,
    config_key: str = "",
    restarts: Mapping[str, str] | None = None,
    recorded: Mapping[str, str] | None = None,
) -> list[Rendered]:
    """The manifests of a checked application, component by component in its order.

    No write token and no task id is in them: the engine adds what belongs to a task. ``config_key`` keys the digests of
    configuration: random, and nowhere in the cluster. Without one, Secrets are in no digest.
    ``restarts``: component → when its Pods were to start again; another text replaces them.
    ``recorded``: component → the digest that its Pods have, of those that have one; without it, as values are now.

    Raises:
        RenderError: the application was not checked.
    """
    application, issues = resolved(application)
    if issues:
        raise RenderError(issues[0].message)
    rendered: list[Rendered] = []
    digests = config_digests(application, config_key)
    for component in application.component:
        renderer = RENDERERS.get(component.type)
        if renderer is None:
            raise RenderError(f'Component "{component.name}" has no type that could be rendered.')
        rendered.extend(renderer(Context(application, component, config_key, digests, restarts or {}, recorded)))
    return rendered
