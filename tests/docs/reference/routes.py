"""The page of the API's routes."""

from itertools import groupby
from typing import Any

from kubemin.api import openapi
from kubemin.api.app import routes
from tests.docs.reference.application import MODELS
from tests.docs.reference.markdown import code, page, prose, table
from tests.docs.reference.schema import Schema, default, fields, kind, meaning

_ALWAYS = {"400", "413", "415", "500", "503", "507"}


def api() -> str:
    """Each route: parameters, body, replies."""
    document = openapi.document(routes())
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [
        "What a running server says of itself at `/openapi.json` and `/docs`. The envelope, runs, revisions and events"
        " are explained in [The HTTP API](../api.md), the codes of errors in [Codes](codes.md#errors-of-the-api). Each"
        " may answer 400 (a parameter that it does not know), 500 and 503; one with a body also 413, 415 and 507.",
    ]
    for tag, group in groupby(operations, key=lambda one: (one[2].get("tags") or ["other"])[0]):
        parts.append(f"## {tag[0].upper()}{tag[1:]}")
        for method, path, operation in group:
            parts += _operation(method, path, operation)
    parts.append("## Shapes")
    parts.append(_shapes(document["components"]["schemas"]))
    return page("Routes", *parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    parameters = [
        (code(one["name"]), one["in"], kind(one["schema"]), default(one["schema"], needed=one.get("required", False)),
         meaning(one) or meaning(one["schema"]))
        for one in operation.get("parameters", [])
    ]  # fmt: skip
    body = _content(operation.get("requestBody", {}))
    replies = [
        (status, _content(reply), "" if reply["description"] == "Successful Response" else reply["description"])
        for status, reply in sorted(operation["responses"].items())
        if status not in _ALWAYS
    ]
    return [
        f"### {method} {path}",
        f"*{operation['summary']}.* {prose(operation.get('description'))}",
        table(("parameter", "in", "type", "default", ""), parameters),
        f"Body: {body}" if body else "",
        table(("status", "reply", ""), replies),
    ]


def _content(part: dict[str, Any]) -> str:
    return " or ".join(
        kind(content["schema"]) if content.get("schema") else code(media)
        for media, content in part.get("content", {}).items()
    )


def _shapes(schemas: dict[str, Schema]) -> str:
    found = []
    for name, schema in sorted(schemas.items()):
        if name in MODELS:
            text = "See [The fields of an application](application.md)."
        else:
            text = "\n\n".join(one for one in (meaning(schema), fields(schema) or kind(schema)) if one)
        found.append(f"### {name}\n\n{text}")
    return "\n\n".join(found)
