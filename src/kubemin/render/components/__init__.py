"""Component types: one module each. To add one, write its ``render`` and give it a line here."""

from collections.abc import Callable, Iterator, Mapping

from kubemin.render.components import config, cronjob, daemon, job, manifests, secret, store, webservice
from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec.component_types import CONFIG, CRONJOB, DAEMON, JOB, MANIFESTS, SECRET, STORE, WEBSERVICE

Renderer = Callable[[Context], Iterator[Rendered]]

RENDERERS: Mapping[str, Renderer] = {
    WEBSERVICE: webservice.render,
    STORE: store.render,
    CONFIG: config.render,
    SECRET: secret.render,
    JOB: job.render,
    CRONJOB: cronjob.render,
    DAEMON: daemon.render,
    MANIFESTS: manifests.render,
}
"""By component type."""
