"""Changes that the API server takes, and whose way back it refuses, or may refuse (trap 7). Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubemin.engine.objects.immutable import is_pvc_expansion
from kubemin.spec.kinds import DEFINITION, kind_name
from kubemin.spec.objects import Manifest

_ITEM = "[]"
_ANY = "*"
_PART = re.compile(r"\[[^\]]*\]|[^.\[\]]+")
_RULES = "x-kubernetes-validations"
_MOST = 3
_LONGEST = 200


def never_back(before: Manifest, now: Manifest) -> list[str]:
    """For people: what no write can take back of a change from ``before`` to ``now``."""
    if is_pvc_expansion(before, now):
        return ["a volume claim never shrinks: this cannot be taken back"]
    if kind_name(now) in ("ConfigMap", "Secret") and now.get("immutable") and not before.get("immutable"):
        return ["it becomes immutable: neither that nor its data can be taken back"]
    if kind_name(now) == DEFINITION:
        known = {version["name"] for version in before["spec"]["versions"]}
        stored = [version["name"] for version in now["spec"]["versions"] if version.get("storage")]
        return [
            f"objects are stored as {name} from then on, which the definition did not have: this cannot be taken back"
            for name in stored
            if name not in known
        ]
    return []


def rules_against(definition: Manifest, version: str, changed: Iterable[str]) -> list[str]:
    """For people: rules of a definition that compare the ``changed`` fields of an object with what they were.

    They let the change pass; the way back is another change. Rules are expressions in CEL that name ``oldSelf``.
    """
    versions = (one for one in definition["spec"]["versions"] if one["name"] == version)
    schema = next((one.get("schema", {}).get("openAPIV3Schema") for one in versions), None)
    ways = [_PART.findall(path) for path in changed]
    told = dict.fromkeys(
        " ".join(str(rule.get("message") or rule["rule"]).split())[:_LONGEST]
        for way, rule in _transition_rules(schema, ())
        if any(_meet(way, other) for other in ways)
    )
    more = [f"{len(told) - _MOST} more"] if len(told) > _MOST else []
    return [f"a rule of its definition may refuse to take this back: {rule}" for rule in [*list(told)[:_MOST], *more]]


def _transition_rules(schema: Any, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if not isinstance(schema, dict):
        return
    for rule in schema.get(_RULES) or ():
        if "oldSelf" in str(rule.get("rule")):
            yield way, rule
    for name, below in (schema.get("properties") or {}).items():
        yield from _transition_rules(below, (*way, name))
    yield from _transition_rules(schema.get("items"), (*way, _ITEM))
    yield from _transition_rules(schema.get("additionalProperties"), (*way, _ANY))


def _meet(way: Iterable[str], path: Iterable[str]) -> bool:
    """Whether one of the two is within the other."""
    return all(
        ours in (_ANY, theirs) or (ours == _ITEM and theirs.startswith("["))
        for ours, theirs in zip(way, path, strict=False)
    )
