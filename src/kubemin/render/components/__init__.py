"""Component types: one module each. To add one, write its ``render`` and give it a line here."""

from collections.abc import Callable, Iterator, Mapping

from kubemin.render.components import config, cronjob, daemon, job, manifests, secret, store, webservice
from kubemin.render.context import Context
from kubemin.render.model import Rendered

Renderer = Callable[[Context], Iterator[Rendered]]

RENDERERS: Mapping[str, Renderer] = {
    "webservice": webservice.render,
    "store": store.render,
    "config": config.render,
    "secret": secret.render,
    "job": job.render,
    "cronjob": cronjob.render,
    "daemon": daemon.render,
    "manifests": manifests.render,
}
"""By component type."""
