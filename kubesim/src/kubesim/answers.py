"""Answers: objects, lists and refusals in the form that the client asked for."""

import json
from dataclasses import dataclass

import yaml

from kubesim import table
from kubesim.calls import Call
from kubesim.jsondata import Object, dump_json, load_json, utc_now
from kubesim.listing import Page
from kubesim.negotiation import JSON, YAML, negotiate
from kubesim.problems import Problem
from kubesim.resources import Resource
from kubesim.storage import Entry
from kubesim.views import outgoing

_BROWSERS = ("curl", "Wget", "Mozilla")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client. ``warnings`` become headers, as does ``retry_after`` (seconds)."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    warnings: tuple[str, ...] = ()
    retry_after: int | None = None

    def pretty(self) -> "Answer":
        """The same, indented for a person's eyes."""
        if self.content_type != JSON:
            return self
        body = json.dumps(load_json(self.body), indent=2, ensure_ascii=False).encode() + b"\n"
        return Answer(body, self.status, JSON, self.warnings, self.retry_after)


def wants_pretty(query: str, agent: str) -> bool:
    """Browsers and command line tools are given indented answers, unless they ask for other."""
    if "pretty=" in query:
        return "pretty=false" not in query and "pretty=0" not in query
    return agent.startswith(_BROWSERS)


def plain(body: Object, status: int = 200) -> Answer:
    """Any object, as it is."""
    return Answer(dump_json(body), status)


def refusal(problem: Problem) -> Answer:
    """The ``Status`` of a refused request."""
    return Answer(dump_json(problem.body()), problem.code, retry_after=problem.details.get("retryAfterSeconds"))


def shown(
    call: Call,
    resource: Resource,
    obj: Object,
    *,
    entry: Entry | None = None,
    status: int = 200,
    warnings: list[str] | None = None,
) -> Answer:
    """One object. ``entry`` is given if ``obj`` is stored: its JSON is there already."""
    view = negotiate(call.accept)
    told = tuple(warnings or ())
    entry = outgoing(resource, entry or Entry(obj))
    body = obj = entry.obj
    if view.kind == "Table":
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        body = table.render(resource, [obj], meta, call.query, view.version, utc_now())
    elif view.kind == "PartialObjectMetadata":
        body = table.partial(obj, view.version)
    elif view.kind:
        raise Problem(
            406, "NotAcceptable", "you requested PartialObjectMetadataList, but the requested object is not a list"
        )
    elif not view.yaml:
        return Answer(entry.raw, status, JSON, told)
    if view.yaml:
        return Answer(yaml.safe_dump(body, sort_keys=False).encode(), status, YAML, told)
    return Answer(dump_json(body), status, JSON, told)


def listed(call: Call, page: Page) -> Answer:
    """A list."""
    resource = call.target.resource
    view = negotiate(call.accept)
    entries = [outgoing(resource, entry) for entry in page.entries]
    objects = [entry.obj for entry in entries] if view.kind or view.yaml else []
    if view.kind == "Table":
        return plain(table.render(resource, objects, page.meta, call.query, view.version, utc_now()))
    if view.kind == "PartialObjectMetadata":
        raise Problem(406, "NotAcceptable", "you requested PartialObjectMetadata, but the requested object is a list")
    if view.kind:
        return plain(table.metadata_list(objects, page.meta, view.version))
    own = {"kind": resource.kind, "apiVersion": resource.api_version}
    head = {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": page.meta}
    # Like the real server's, the items of a list do not say what they are: the list does.
    if view.yaml:
        items = [{key: value for key, value in obj.items() if key not in own} for obj in objects]
        return Answer(yaml.safe_dump({**head, "items": items}, sort_keys=False).encode(), content_type=YAML)
    skip = len(dump_json(own))
    parts = b",".join(b"{" + entry.raw[skip:] for entry in entries)
    return Answer(dump_json(head)[:-1] + b',"items":[' + parts + b"]}")
