"""The JSON Schema of the format, which `make reference` writes into the package: for editors, and for other programs.

The models say names and types of fields; `_SAID` is what the checks say beside them, as far as a schema can. It offers
one spelling of each field, and no ``null``: what is not given is left out.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic.alias_generators import to_camel

from kubemin.spec import names, quantity
from kubemin.spec import schema as packaged
from kubemin.spec.application import _MAX_TEXT, Application
from kubemin.spec.component import AUTO
from kubemin.spec.component_types import COMPONENT_TYPES
from kubemin.spec.external import STORE_KINDS
from kubemin.spec.states import ShareStrategy, Way
from kubemin.spec.strategy import MAX_STEPS
from kubemin.spec.traits.env_from import ENV_FROM_TYPES
from kubemin.spec.traits.envs import _FIELD
from kubemin.spec.traits.expose import GATEWAY, INGRESS
from kubemin.spec.traits.expose import PATH_TYPES as EXPOSED_PATH_TYPES
from kubemin.spec.traits.ingress import _OTHER_WORDS, PATH_TYPES, REWRITE_TYPES
from kubemin.spec.traits.probes import _LEAST, PROBE_TYPES, SCHEMES
from kubemin.spec.traits.rbac import MAX_LIST, MAX_RULES
from kubemin.spec.traits.storage import STORAGE_TYPES
from kubemin.spec.values import MAX_IMAGE
from kubemin.spec.workflow import MAX_STEP_NAME, WEEK
from tests.docs.reference.application import told
from tests.docs.reference.schema import Schema

FILE = Path(packaged.__file__).with_name(packaged.NAME)

_EXPRESSION = r"\$\{\{"
"""A text with an expression of the command line in it is another one by the time it is checked."""
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def _words(*words: str) -> Schema:
    return {"enum": list(words)}


def _pattern(pattern: str, longest: int = 0) -> Schema:
    ahead = f"(?=.{{1,{longest}}}$)" if longest else ""
    return {"pattern": f"^{ahead}(?:{pattern})$|{_EXPRESSION}"}


def _keys(pattern: str, longest: int = 0) -> Schema:
    return {"propertyNames": {"pattern": f"^{f'(?=.{{1,{longest}}}$)' if longest else ''}(?:{pattern})$"}}


def _from(least: int, most: int = 2**31 - 1) -> Schema:
    return {"minimum": least, "maximum": most}


_LABEL = _pattern(names._LABEL.pattern, names.LABEL_LENGTH)
_SUBDOMAIN = _pattern(names._SUBDOMAIN.pattern, names.SUBDOMAIN_LENGTH)
_DATA_KEY = r"(?!\.$|\.\.)" + names._KEY.pattern
_VARIABLES = _keys(names._VARIABLE.pattern)
_LABELS = {
    **_keys(f"({names._SUBDOMAIN.pattern}/)?{names._QUALIFIED.pattern}"),
    "additionalProperties": {"type": "string"},
}
_QUANTITY = {"type": ["string", "number"], "minimum": 0, **_pattern(quantity._QUANTITY.pattern)}
_PORT = _from(1, 65535)
_COUNT = {**_from(0), **_pattern("[0-9]+%")}
_FORMATS: Mapping[str, Schema] = {
    "label-key": _pattern(f"({names._SUBDOMAIN.pattern}/)?{names._QUALIFIED.pattern}"),
    "label-value": _pattern(f"({names._QUALIFIED.pattern})?", names.LABEL_LENGTH),
    "object-name": _pattern(names._SUBDOMAIN.pattern, names.SUBDOMAIN_LENGTH),
    "port-name": _pattern(names._PORT_NAME.pattern, 15),
    "network": _pattern("[0-9a-fA-F.:]+(/[0-9]+)?"),
}
"""By `format` of a type: how its texts are spelled."""
_SECONDS = {"exclusiveMinimum": 0, "maximum": WEEK}
_IMAGE = {**_pattern(r"\S+"), "maxLength": MAX_IMAGE}
_PATH = _pattern(r"/.*")

_SAID: Mapping[str, Mapping[str, Schema]] = {
    "Application": {
        "name": _pattern("[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?", names.LABEL_LENGTH),  # upper case is lowered
        "namespace": _LABEL,
        **{field: {"maxLength": longest} for field, longest in _MAX_TEXT.items()},
    },
    "Component": {
        "name": _LABEL,
        "type": _words(*COMPONENT_TYPES),
        "image": _IMAGE,
        "replicas": {"anyOf": [{"type": "integer", **_from(0)}, {"const": AUTO}]},
        "namespace": _LABEL,
        "objectName": _LABEL,
        "strategy": {"anyOf": [_words(*Way), {"$ref": "#/$defs/StrategySpec"}]},
    },
    "Properties": {
        "image": _IMAGE,
        "env": _VARIABLES,
        "labels": _LABELS,
        "conf": _keys(_DATA_KEY, names.SUBDOMAIN_LENGTH),
        "secret": _keys(_DATA_KEY, names.SUBDOMAIN_LENGTH),
    },
    "ExternalStore": {"name": _SUBDOMAIN, "kind": _words(*STORE_KINDS)},
    "Port": dict.fromkeys(("port", "nodePort"), _PORT),
    "ContainerPort": {"port": _PORT},
    "Expose": {"via": _words(INGRESS, GATEWAY), "port": _PORT},
    "ExposedPath": {"path": _PATH, "pathType": _words(*EXPOSED_PATH_TYPES), "port": _PORT},
    "PolicyPort": {"endPort": _PORT},
    "ParentRef": {"port": _PORT},
    "Grpc": {"port": _PORT},
    "Pdb": dict.fromkeys(("minAvailable", "maxUnavailable"), _COUNT),
    "Storage": {
        "name": _LABEL,
        "type": _words(*STORAGE_TYPES),
        "mountPath": _pattern("/[^:]*"),
        "size": _QUANTITY,
        **dict.fromkeys(("sourceName", "claimName", "storageClass"), _SUBDOMAIN),
    },
    "EnvFrom": {"type": _words(*ENV_FROM_TYPES), "sourceName": _SUBDOMAIN},
    "Env": {"name": _pattern(names._VARIABLE.pattern)},
    "ValueFrom": {"field": _pattern(_FIELD.pattern)},
    "KeyRef": {"name": _SUBDOMAIN, "key": _pattern(_DATA_KEY, names.SUBDOMAIN_LENGTH)},
    "Resources": {"cpu": _QUANTITY, "memory": _QUANTITY, "gpu": _QUANTITY},
    "Probe": {
        "type": _words(*PROBE_TYPES),
        **{to_camel(name): _from(least) for name, least in _LEAST.items()},
    },
    "HttpGet": {"scheme": _words(*SCHEMES)},
    "Rbac": {
        **dict.fromkeys(("serviceAccount", "roleName", "bindingName"), _SUBDOMAIN),
        "namespace": _LABEL,
        "rules": {"minItems": 1, "maxItems": MAX_RULES},
        **dict.fromkeys(("roleLabels", "bindingLabels", "serviceAccountLabels"), _LABELS),
    },
    "Rule": {
        "verbs": {"minItems": 1, "maxItems": MAX_LIST},
        **{field: {"maxItems": MAX_LIST} for field in ("apiGroups", "resources", "resourceNames", "nonResourceURLs")},
    },
    "InitProperties": {"image": _IMAGE, "env": _VARIABLES},
    "Sidecar": {"image": _IMAGE, "env": _VARIABLES},
    "Ingress": {
        "name": _LABEL,
        "ingressClassName": _SUBDOMAIN,
        "defaultPathType": _words(*PATH_TYPES),
        "hosts": {"items": {"type": "string", **_pattern(r"(\*\.)?" + names._SUBDOMAIN.pattern)}},
        "label": _LABELS,
        "routes": {"minItems": 1},
    },
    "Tls": {"secretName": _SUBDOMAIN},
    "Route": {
        "path": _PATH,
        "pathType": _words(*PATH_TYPES),
        "host": _pattern(r"(\*\.)?" + names._SUBDOMAIN.pattern),
    },
    "Backend": {"serviceName": _LABEL, "servicePort": _PORT},
    "Rewrite": {"type": _words(*REWRITE_TYPES, *_OTHER_WORDS)},
    "Share": {"strategy": _words(*ShareStrategy)},
    "Step": {"name": {"maxLength": MAX_STEP_NAME}, "seconds": _SECONDS, "timeoutSeconds": _SECONDS},
    "SubStep": {"name": {"maxLength": MAX_STEP_NAME}},
    "StrategySpec": {
        "type": _words(*Way),
        "steps": {"maxItems": MAX_STEPS},
        "seconds": _SECONDS,
        "timeoutSeconds": _SECONDS,
    },
    "CanaryStep": {"weight": _from(1, 99), "replicas": _from(1), "seconds": _SECONDS, "timeoutSeconds": _SECONDS},
}
"""By model and field: what else holds of a value."""

_OF_MODELS: Mapping[str, Schema] = {
    "Component": {"anyOf": [{"required": ["type"]}, {"required": ["template"]}]},
    "ValueFrom": {"minProperties": 1, "maxProperties": 1},
}


def application_schema() -> Schema:
    """The schema, as the package has it."""
    made: Schema = Application.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    parts = made.pop("$defs")
    texts = told()
    root = _model("Application", made, texts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:kubemin:application",
        "title": "A KubeMin application",
        **root,
        "$defs": {name: _model(name, part, texts) for name, part in sorted(parts.items())},
    }


def _model(name: str, schema: Schema, texts: Mapping[str, Mapping[str, str]]) -> Schema:
    schema = {key: value for key, value in schema.items() if key != "title"} | _OF_MODELS.get(name, {})
    if "description" in schema:
        schema["description"] = _plain(schema["description"])
    if "properties" in schema:
        said = _SAID.get(name, {})
        unknown = said.keys() - schema["properties"].keys()
        assert not unknown, f"{name} has no {', '.join(unknown)}"
        fields = {
            field: _field(one, said.get(field, {}), texts.get(name, {}).get(field))
            for field, one in schema["properties"].items()
            if one.keys() - {"title", "default", "description"}  # what takes anything is there to be refused
        }
        schema |= {"properties": fields, "additionalProperties": False}
    return schema


def _field(schema: Schema, said: Schema, text: str | None) -> Schema:
    value = schema.get("default")
    default = {"default": value} if value != "" and isinstance(value, str | bool | int | float) else {}
    description = _plain(text if text and not text.startswith("see ") else schema.get("description", ""))
    shape = {key: value for key, value in schema.items() if key not in ("default", "description", "title")}
    shape = _without_null(shape)
    if "anyOf" in said or "type" in said or "enum" in said:
        shape = {}
    shape = _spelled(_in_range({**shape, **said}))
    return {**({"description": description} if description else {}), **shape, **default}


def _without_null(schema: Schema) -> Schema:
    parts: Sequence[Schema] = schema.get("anyOf", ())
    given = [one for one in parts if one.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest, **given[0]} if len(given) == 1 else {**rest, "anyOf": given} if given else rest


def _spelled(schema: Schema) -> Schema:
    """With the patterns of formats in their place."""
    parts = {
        key: _spelled(value) if isinstance(value, dict) else [_spelled(one) for one in value]
        for key, value in schema.items()
        if (key in ("items", "additionalProperties") and isinstance(value, dict)) or key == "anyOf"
    }
    rest = {key: value for key, value in schema.items() if key != "format"}
    return {**rest, **parts, **_FORMATS.get(schema.get("format", ""), {})}


def _in_range(schema: Schema) -> Schema:
    """Kubernetes keeps whole numbers in 32 bits."""
    return {"minimum": -(2**31), "maximum": 2**31 - 1, **schema} if schema.get("type") == "integer" else schema


def _plain(text: str) -> str:
    """Without links, which lead nowhere in an editor, and on one line."""
    return " ".join(_LINK.sub(r"\1", text).replace(", see below", "").replace("``", "`").split())
