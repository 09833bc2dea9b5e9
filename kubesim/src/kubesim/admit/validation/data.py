"""What ConfigMaps and Secrets must be."""

import base64
import json
from typing import Any

from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes

__all__ = ["check_config_map", "check_secret"]

Object = dict[str, Any]

MAX_DATA = 1024 * 1024
"""Bytes of all values of a ConfigMap or Secret."""

_SEALED = "field is immutable when `immutable` is set"

_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def _encoded_size(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


def _decoded_size(value: str) -> int:
    return len(value) // 4 * 3 - value.count("=", -2)


def check_config_map(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a ConfigMap."""
    data, binary = obj.get("data", {}), obj.get("binaryData", {})
    size = 0
    for key, value in data.items():
        causes.each_invalid(f"data[{key}]", key, formats.config_key(key))
        if key in binary:
            causes.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += _encoded_size(value)
    for key, value in binary.items():
        causes.each_invalid(f"binaryData[{key}]", key, formats.config_key(key))
        size += _decoded_size(value)
    if size > MAX_DATA:
        causes.too_long("[]", MAX_DATA)
    if old is not None and old.get("immutable"):
        if not obj.get("immutable"):
            causes.forbidden("immutable", _SEALED)
        for field in ("data", "binaryData"):
            if obj.get(field) != old.get(field):
                causes.forbidden(field, _SEALED)


def check_secret(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a Secret."""
    data = obj.get("data", {})
    size = 0
    for key, value in data.items():
        causes.each_invalid(f"data[{key}]", key, formats.config_key(key))
        size += _decoded_size(value)
    if size > MAX_DATA:
        causes.too_long("data", MAX_DATA)
    _check_type(obj["type"], obj, data, causes)
    if old is not None:
        causes.unchanged("type", obj["type"], old["type"])
        if old.get("immutable"):
            if not obj.get("immutable"):
                causes.forbidden("immutable", _SEALED)
            if obj.get("data") != old.get("data"):
                causes.forbidden("data", _SEALED)


def _check_type(kind: str, obj: Object, data: dict[str, str], causes: Causes) -> None:
    for key in _NEEDED.get(kind, ()):
        if key not in data:
            causes.required(f"data[{key}]")
        elif key.startswith(".docker"):
            try:
                json.loads(base64.b64decode(data[key]))
            except ValueError:
                causes.invalid(f"data[{key}]", "<secret contents redacted>", "invalid character in JSON")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        causes.required("data[username]")
        causes.required("data[password]")
    if kind == "kubernetes.io/service-account-token":
        annotations = obj["metadata"].get("annotations", {})
        if not annotations.get("kubernetes.io/service-account.name"):
            causes.required("metadata.annotations[kubernetes.io/service-account.name]")
