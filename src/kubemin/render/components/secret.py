"""``secret``: a Secret."""

import base64
from collections.abc import Iterator

from kubemin.render.context import Context
from kubemin.render.model import Rendered


def render(context: Context) -> Iterator[Rendered]:
    """The Secret, its values in base64."""
    secret = sorted(context.component.properties.secret.items())
    data = {key: base64.b64encode(value.encode()).decode() for key, value in secret}
    type_ = context.component.secret_type
    body = {"type": type_, "data": data} if data else {"type": type_}
    yield context.rendered(context.manifest("Secret", context.name("Secret"), body))
