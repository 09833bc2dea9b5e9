"""Label and field selectors, as list and watch take them in their query."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubesim.jsondata import Object
from kubesim.problems import bad_request
from kubesim.resources import Resource

Matcher = Callable[[Object], bool]
"""Tells whether an object is selected."""

_TERM = re.compile(
    r"\s*(?:"
    r"(?P<set_key>[^\s,=!()<>]+)\s+(?P<set_op>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|!\s*(?P<absent>[^\s,=!()<>]+)"
    r"|(?P<key>[^\s,=!()<>]+)\s*(?P<op>==|=|!=|<|>)\s*(?P<value>[^\s,=!()<>]*)"
    r"|(?P<present>[^\s,=!()<>]+)"
    r")\s*(?:,|$)"
)

_COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
_FIELDS: Mapping[str, frozenset[str]] = {
    "pods": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    "events": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    "namespaces": frozenset({"status.phase", "name"}),
    "secrets": frozenset({"type"}),
    "services": frozenset({"spec.clusterIP", "spec.type"}),
    "nodes": frozenset({"spec.unschedulable"}),
    "replicasets": frozenset({"status.replicas"}),
    "replicationcontrollers": frozenset({"status.replicas"}),
    "jobs": frozenset({"status.successful"}),
}


def label_matcher(selector: str) -> Matcher | None:
    """Compile ``a=b,c!=d,e in (f,g),h notin (i),j,!k``. ``None`` if it selects everything."""
    if not selector.strip():
        return None
    tests: list[Callable[[Mapping[str, str]], bool]] = []
    position = 0
    while position < len(selector):
        match = _TERM.match(selector, position)
        if match is None:
            raise bad_request(
                f"unable to parse requirement: found '{selector[position:]}', expected: identifier, or one of \"!\""
            )
        tests.append(_label_test(match))
        position = match.end()
    if len(tests) == 1:
        only = tests[0]
        return lambda obj: only(obj["metadata"].get("labels") or {})

    def matches(obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def _label_test(match: re.Match[str]) -> Callable[[Mapping[str, str]], bool]:
    if key := match["present"]:
        return lambda labels: key in labels
    if absent := match["absent"]:
        return lambda labels: absent not in labels
    if set_key := match["set_key"]:
        values = frozenset(value.strip() for value in match["values"].split(","))
        if match["set_op"] == "in":
            return lambda labels: labels.get(set_key) in values
        return lambda labels: labels.get(set_key) not in values
    name, operator, value = match["key"], match["op"], match["value"]
    if operator == "!=":
        return lambda labels: labels.get(name) != value
    if operator in "<>":
        try:
            bound = int(value)
        except ValueError:
            raise bad_request(
                f'unable to parse requirement: values[0][{name}]: Invalid value: "{value}": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ) from None
        sign = 1 if operator == ">" else -1
        return lambda labels: (text := labels.get(name)) is not None and _integer(text) * sign > bound * sign
    return lambda labels: labels.get(name) == value


def _integer(text: str) -> float:
    """The number that a label holds; not-a-number compares false with everything."""
    try:
        return int(text)
    except ValueError:
        return float("nan")


def field_terms(resource: Resource, selector: str) -> list[tuple[str, str, str]]:
    """Split a field selector into (path, operator, value), and refuse paths that the resource does not index."""
    terms: list[tuple[str, str, str]] = []
    allowed = _FIELDS.get(resource.key, resource.selectable)
    for part in filter(None, re.split(r"(?<!\\),", selector)):
        match = re.fullmatch(r"\s*([^=!]+?)\s*(==|!=|=)(.*)", part)
        if match is None:
            raise bad_request(f"invalid selector: '{selector}'; can't understand '{part}'")
        path, operator, value = match.groups()
        if path not in _COMMON_FIELDS and path not in allowed:
            raise bad_request(f"field label not supported: {path}")
        terms.append((path, "!=" if operator == "!=" else "=", re.sub(r"\\(.)", r"\1", value.strip())))
    return terms


def field_matcher(resource: Resource, selector: str) -> Matcher | None:
    """Compile ``metadata.name=x,status.phase!=Running``. ``None`` if it selects everything."""
    terms = [
        (tuple(path.split(".")), operator == "=", value) for path, operator, value in field_terms(resource, selector)
    ]
    if not terms:
        return None

    def matches(obj: Object) -> bool:
        return all((_field(obj, path) == value) is equal for path, equal, value in terms)

    return matches


def _field(obj: Object, path: tuple[str, ...]) -> str:
    if path == ("name",):
        path = ("metadata", "name")
    if path == ("source",):
        path = ("source", "component")
    if path == ("status", "successful"):
        path = ("status", "succeeded")
    value: Any = obj
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return (
            "false"
            if path[-1] in {"hostNetwork", "unschedulable"}
            else "0"
            if path[0] == "status"
            and path[-1]
            in {
                "replicas",
                "succeeded",
            }
            else ""
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def both(first: Matcher | None, second: Matcher | None) -> Matcher | None:
    """Selected by both; ``None`` selects everything."""
    if first is None or second is None:
        return first or second
    return lambda obj: first(obj) and second(obj)
