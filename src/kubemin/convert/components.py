"""From an object to a component of the own format. A kind more is a line in `COMPONENTS`."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from kubemin.convert.normal import foreign_labels
from kubemin.convert.surroundings import Draft, Surroundings, body
from kubemin.convert.taking import StaysError, nothing_left, part
from kubemin.convert.workloads import cronjob, daemon, store, webservice
from kubemin.spec.config import FILE_NAME_KEY, MASK, URL_KEY
from kubemin.spec.objects import Manifest, ObjectRef


def _config(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    rest = body(manifest)
    data = part(rest, "data", "")
    nothing_left(rest, "")
    if URL_KEY in data or FILE_NAME_KEY in data:
        raise StaysError(f"the own format fetches what the key {URL_KEY} names")
    conf = {key: _text(value, f"data.{key}") for key, value in data.items()}
    properties = {**_labels(manifest), "conf": conf}
    return Draft(around.free_name(ref.name, "config"), "config", ref.namespace, ref, [ref], properties=properties)


def _secret(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    rest = body(manifest)
    data = part(rest, "data", "")
    kind = {"secretType": rest.pop("type")} if "type" in rest else {}
    nothing_left(rest, "")
    secret = {}
    for key, value in data.items():
        if value == MASK:
            raise StaysError("its values are masked")
        try:
            secret[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, TypeError) as error:
            raise StaysError(f"data.{key} is no text") from error
    properties = {**_labels(manifest), **kind, "secret": secret}
    return Draft(around.free_name(ref.name, "secret"), "secret", ref.namespace, ref, [ref], properties=properties)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise StaysError(f"{path} is no text")
    return value


def _labels(manifest: Manifest) -> Manifest:
    labels = foreign_labels(manifest["metadata"].get("labels"))
    return {"labels": labels} if labels else {}


COMPONENTS: Mapping[str, Callable[[ObjectRef, Manifest, Surroundings], Draft]] = {
    "ConfigMap": _config,
    "Secret": _secret,
    "Deployment": webservice,
    "StatefulSet": store,
    "DaemonSet": daemon,
    "CronJob": cronjob,
}
"""In the order in which kinds are looked at: what others refer to comes first."""
