"""``secret``: a Secret."""

import base64
from collections.abc import Iterator

from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec.external import EXTERNAL_SECRET, External, RemoteValue, target_name
from kubemin.spec.objects import Manifest

_API = "external-secrets.io/v1"


def render(context: Context) -> Iterator[Rendered]:
    """The Secret, its values in base64; or what makes the External Secrets operator fetch them into one."""
    if (external := context.component.properties.external) is not None:
        spec = {"spec": _external(external, target_name(context.main), context.component.properties.secret_type)}
        yield context.rendered(context.manifest(EXTERNAL_SECRET, context.name(EXTERNAL_SECRET), spec, api_version=_API))
        return
    secret = sorted(context.component.properties.secret.items())
    data = {key: base64.b64encode(value.encode()).decode() for key, value in secret}
    type_ = context.component.secret_type
    body = {"type": type_, "data": data} if data else {"type": type_}
    yield context.rendered(context.manifest("Secret", context.name("Secret"), body))


def _external(external: External, target: str, type_: str | None) -> Manifest:
    spec: Manifest = {"secretStoreRef": {"kind": external.store.kind, "name": external.store.name}}
    if external.refresh_interval:
        spec["refreshInterval"] = external.refresh_interval
    spec["target"] = {"name": target, "creationPolicy": "Owner"}
    if type_ is not None:
        spec["target"]["template"] = {"type": type_}
    if external.data:
        spec["data"] = [{"secretKey": key, "remoteRef": _remote(value)} for key, value in sorted(external.data.items())]
    if external.data_from:
        spec["dataFrom"] = external.data_from
    return spec


def _remote(value: RemoteValue) -> Manifest:
    return {field: text for field, text in value.dump().items() if text}
