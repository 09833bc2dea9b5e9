"""Content negotiation: what a body is written in, and what an answer should look like."""

from dataclasses import dataclass
from typing import Any

import yaml

from kubesim import protobuf
from kubesim.jsondata import load_json
from kubesim.problems import Problem, bad_request

JSON = "application/json"
YAML = "application/yaml"
_TRANSFORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})


@dataclass(frozen=True, slots=True)
class View:
    """How the caller wants the answer. ``kind`` is empty for the object as it is, else one of the transforms."""

    kind: str = ""
    version: str = "v1"
    yaml: bool = False


PLAIN = View()


def negotiate(accept: str | None) -> View:
    """The first acceptable view of an Accept header. 406 if there is none."""
    if accept is None or accept in (JSON, "*/*", ""):
        return PLAIN
    for clause in accept.split(","):
        media, *parameters = (part.strip() for part in clause.split(";"))
        options = dict(part.split("=", 1) for part in parameters if "=" in part)
        if media not in (JSON, YAML, "*/*", "application/*"):
            continue
        kind = options.get("as", "")
        if not kind:
            return View(yaml=True) if media == YAML else PLAIN
        if kind in _TRANSFORMS and options.get("g") == "meta.k8s.io" and options.get("v") in ("v1", "v1beta1"):
            return View(kind, options["v"], media == YAML)
    raise Problem(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml",
    )


def decode(data: bytes, content_type: str, kind: str) -> Any:
    """Read a body. 415 for a content type that is not understood, 400 for one that does not parse."""
    media = content_type.partition(";")[0].strip().lower()
    if media in (JSON, ""):
        try:
            return load_json(data)
        except (ValueError, RecursionError) as error:
            raise bad_request(
                f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
                f"json parse error: {error} ({_summary(data)})"
            ) from None
    if media in (YAML, "application/x-yaml", "text/yaml"):
        return decode_yaml(data, kind)
    if media == protobuf.MEDIA_TYPE:
        return protobuf.decode(data)
    raise Problem(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf",
    )


def decode_yaml(data: bytes, kind: str) -> Any:
    """Read YAML, or JSON, which is YAML too. 400 if it does not parse."""
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            return load_json(data)
        except (ValueError, RecursionError):
            pass
    try:
        return yaml.load(data, Loader=_JSON_LIKE)  # noqa: S506 - a SafeLoader without timestamps
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise bad_request(f"error decoding {kind}: error converting YAML to JSON: {error}") from None


def _summary(data: bytes) -> str:
    if not data:
        return "<empty>"
    text = data[:30].decode(errors="replace") if data[:1] == b"{" else data[:30].hex()
    return text + " ..." if len(data) > 30 else text


class _JsonLikeLoader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """YAML as Kubernetes reads it: what looks like a date is a string."""


_JsonLikeLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_JSON_LIKE = _JsonLikeLoader
