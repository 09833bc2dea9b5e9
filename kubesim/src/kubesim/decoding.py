"""From a body to an object of its kind: what it claims to be, fields that nobody knows, defaults."""

import base64
from collections.abc import Callable
from typing import TypeVar

from kubesim import admit
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object, copy_json, dump_json
from kubesim.problems import Problem, bad_request
from kubesim.resources import Resource

T = TypeVar("T")


def typed(body: Object, name: str, kind: type[T], owner: str) -> T | None:
    """A field of a body, if it is there; 400 if it is of another type. A boolean is no integer."""
    value = body.get(name)
    if value is None or type(value) is kind:
        return value
    raise bad_request(f"json: cannot unmarshal {type(value).__name__} into Go struct field {owner}.{name}")


def receive(resource: Resource, namespace: str, obj: Object) -> Object:
    """Check what an object claims to be, fill in what the URL says, and return its metadata."""
    kind, version = obj.setdefault("kind", resource.kind), obj.setdefault("apiVersion", resource.api_version)
    if kind != resource.kind:
        short = str(version).rpartition("/")[2]
        raise bad_request(
            f'{kind} in version "{short}" cannot be handled as a {resource.kind}: '
            f'no kind "{kind}" is registered for version "{version}"'
        )
    if version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    meta = obj.get("metadata")
    if meta is None:
        meta = obj["metadata"] = {}
    elif not isinstance(meta, dict):
        raise bad_request(
            f'{kind} in version "{resource.version}" cannot be handled as a {kind}: json: cannot unmarshal '
            f"{type(meta).__name__} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        )
    if not resource.namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = namespace
    elif meta["namespace"] != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    return meta


def check_name(meta: Object, name: str) -> None:
    """400 if the object is not the one that the URL names."""
    found = meta.get("name")
    if not found:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if found != name:
        raise bad_request(f"the name of the object ({found}) does not match the name on the URL ({name})")


def decode(
    resource: Resource, obj: Object, *, validation: str, warn: Callable[[str], None], patched: bool = False
) -> None:
    """Drop or refuse unknown fields and fill in defaults, in place, as decoding into the typed object does.

    ``validation`` is Ignore, Warn or Strict; ``patched`` says that the object comes out of a patch, not of the body.
    """
    if isinstance(resource, CustomResource):
        sent = copy_json(obj) if patched and validation == "Strict" else obj
        unknown = resource.decode(obj)
        _tell_unknown(resource, sent, unknown, validation=validation, warn=warn, patched=patched)
        return
    unknown = admit.unknown_fields(resource.kind, obj) if validation != "Ignore" else []
    _tell_unknown(resource, obj, unknown, validation=validation, warn=warn, patched=patched)
    admit.default(resource.kind, obj)
    if resource.key == "secrets" and (plain := obj.pop("stringData", None)):
        data = obj.setdefault("data", {})
        for key, text in plain.items():
            data[key] = base64.b64encode(text.encode()).decode()


def _tell_unknown(
    resource: Resource, obj: Object, unknown: list[str], *, validation: str, warn: Callable[[str], None], patched: bool
) -> None:
    texts = [f'unknown field "{path}"' for path in unknown] if validation != "Ignore" else []
    if texts and validation == "Strict":
        raise _strict(resource, obj, "strict decoding error: " + ", ".join(texts), patched=patched)
    for text in texts:
        warn(text)


def _strict(resource: Resource, obj: Object, why: str, *, patched: bool) -> Problem:
    if not patched:
        return bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}'
        )
    shown = dump_json(obj).decode().replace("\\", "\\\\").replace('"', '\\"')
    message = f'Invalid value: "{shown}": {why}'
    return Problem(
        422,
        "Invalid",
        f' "" is invalid: patch: {message}',
        causes=[{"reason": "FieldValueInvalid", "message": message, "field": "patch"}],
    )
