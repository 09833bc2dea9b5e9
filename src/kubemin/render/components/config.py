"""``config``: a ConfigMap."""

from collections.abc import Iterator

from kubemin.render.context import Context
from kubemin.render.model import Fetch, Rendered
from kubemin.spec.config import DEFAULT_FILE_NAME, FILE_NAME_KEY, URL_KEY


def render(context: Context) -> Iterator[Rendered]:
    """The ConfigMap. What ``config.url`` names is fetched into it when the job runs."""
    conf = dict(sorted(context.component.properties.conf.items()))
    fetch = None
    if URL_KEY in conf:
        file_name = conf.pop(FILE_NAME_KEY, "") or DEFAULT_FILE_NAME
        fetch = Fetch(conf.pop(URL_KEY), file_name)
    manifest = context.manifest("ConfigMap", context.name("ConfigMap"), {"data": conf} if conf else {})
    yield context.rendered(manifest, fetch=fetch)
