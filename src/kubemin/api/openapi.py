"""The OpenAPI document: what FastAPI derives from the routes, and what it cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ErrorEnvelope
from kubemin.spec.application import Application
from kubemin.spec.events import MODELS

Responses = dict[int | str, dict[str, Any]]

APPLICATION_BODY = {"x-application-body": True}
"""``openapi_extra`` of a route that takes an application: its schema is put in here."""

_REF = "#/components/schemas/{model}"

UNCHANGED: Responses = {304: {"description": "It is as it was when the `ETag` was given."}}
"""The reply to an `If-None-Match` that fits."""

EVENT = "#/components/schemas/Event"
"""The schema of what a task's stream is made of."""

_EXAMPLES: dict[int, tuple[ApiCode, str]] = {
    400: (ApiCode.MISSING_FIELD, "Name: Field required."),
    401: (ApiCode.UNAUTHORIZED, "This token is not valid: it is mistyped, unknown, revoked or expired."),
    403: (ApiCode.FORBIDDEN, "This needs the role deployer for application shop in namespace default; eve has viewer."),
    404: (ApiCode.APPLICATION_NOT_FOUND, "Application 'k3v9x0q2m7c4t8b1n5z6w0ya' does not exist."),
    409: (ApiCode.TASK_ACTIVE, "Task m8d2h5s0r4f7j1l9p3u6e0xb of this application is still active."),
    413: (ApiCode.TOO_LARGE, "The body has more than the 8388608 bytes that are accepted."),
    415: (ApiCode.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON with the header Content-Type: application/json."),
    429: (ApiCode.TOO_MANY, "eve asks too often: try again in 1 s."),
    500: (ApiCode.INTERNAL, "Something went wrong inside the server; its log has the details."),
    502: (
        ApiCode.SIGNAL_FAILED,
        "The cancel is recorded, but the signal failed; its worker reads it from the database.",
    ),
    503: (ApiCode.UNAVAILABLE, "The database is busy or out of reach: nothing was stored, try again."),
    507: (ApiCode.STORAGE_FULL, "The database is full: nothing was stored."),
}
_ALWAYS = (400, 401, 403, 429, 500, 503)  # 400: a parameter that the route does not know, see `parameter_check`
_WITH_BODY = (413, 415, 507)


def errors(*statuses: int) -> Responses:
    """The error replies that a route documents beside those that every route has."""
    return {status: _error(status) for status in statuses}


def _error(status: int) -> dict[str, Any]:
    code, message = _EXAMPLES[status]
    example = {"code": int(code), "message": message, "data": None}
    return {
        "model": ErrorEnvelope,
        "description": message,
        "content": {"application/json": {"example": example}},
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made at its first use and kept by the application. Takes a second of CPU, so not on the loop."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = schema["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Application"] = _application_schema(schemas)
        schemas["Event"] = _event_schema(schemas)
        for path in schema["paths"].values():
            for operation in path.values():
                _complete(operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    wanted = set(_ALWAYS)
    if "requestBody" in operation:
        wanted.update(_WITH_BODY)
    for status in sorted(wanted):
        responses.setdefault(str(status), _inline_error(status))
    if operation.pop("x-application-body", False):
        content = operation["requestBody"]["content"]["application/json"]
        content["schema"] = {"$ref": "#/components/schemas/Application"}


def _inline_error(status: int) -> dict[str, Any]:
    made = _error(status)
    content = {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}, **made["content"]["application/json"]}
    return {"description": made["description"], "content": {"application/json": content}}


def _application_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of an application as a user writes it; its parts are added to ``schemas``."""
    return _without_parts(Application.model_json_schema(by_alias=True, ref_template=_REF), schemas)


def _event_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of one Server-Sent Event, told apart by its field ``event``; each kind is added to ``schemas``."""
    mapping: dict[str, str] = {}
    for kind, model in MODELS.items():
        data = _without_parts(model.model_json_schema(mode="serialization", ref_template=_REF), schemas)
        data["properties"]["at"] = {"type": "string", "format": "date-time", "description": "When it happened."}
        data["required"].append("at")
        name = model.__name__
        schemas[f"{name}Data"] = data
        schemas[name] = {
            "type": "object",
            "description": data["description"],
            "required": ["id", "event", "data"],
            "properties": {
                "id": {"type": "string", "pattern": "^[0-9:,-]+$"},
                "event": {"const": kind},
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"$ref": _REF.format(model=f"{name}Data")},
                },
            },
        }
        mapping[kind] = _REF.format(model=name)
    return {
        "description": "One event of a task's stream. More kinds, and more fields, may come: pass over what is new.",
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "event", "mapping": mapping},
    }


def _without_parts(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model without its definitions, which go into ``schemas``."""
    for name, part in schema.pop("$defs", {}).items():
        schemas.setdefault(name, part)
    return schema
