"""Reads fields of objects that come from a server: any part may be absent or null."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.cluster.readiness.verdict import Trouble
from kubemin.cluster.reasons import code_of_text
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode


def mapping(item: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The mapping at ``path``; empty when it is not there."""
    found: Any = item
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def number(item: Mapping[str, Any], *path: str, default: int = 0) -> int:
    """The whole number at ``path``."""
    found = mapping(item, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) else default


def text(item: Mapping[str, Any], *path: str) -> str:
    """The text at ``path``; empty when it is not there."""
    found = mapping(item, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def condition(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The status condition of that type; empty when it is not there."""
    for each in mapping(item, "status").get("conditions") or ():
        if each.get("type") == kind:
            found: Mapping[str, Any] = each
            return found
    return {}


def is_true(found: Mapping[str, Any]) -> bool:
    """Whether a condition holds."""
    return found.get("status") == "True"


def in_words(found: Mapping[str, Any]) -> str:
    """A condition for people: ``Ready is False: NoIssuer: the issuer does not exist``."""
    said = [str(found[key]) for key in ("reason", "message") if found.get(key)]
    return ": ".join([f"{found['type']} is {found.get('status', 'Unknown')}", *said])


def is_of_now(found: Mapping[str, Any], item: Manifest) -> bool:
    """Whether a condition of the object does not say that it is about a former spec."""
    generation = number(item, "metadata", "generation")
    return number(found, "observedGeneration", default=generation) >= generation


def observed(item: Manifest) -> bool:
    """Whether the status is about the current spec: the controller has seen this generation."""
    return number(item, "status", "observedGeneration") >= number(item, "metadata", "generation")


def is_outdated(item: Manifest) -> bool:
    """Whether its status says that it is about a former spec."""
    generation = number(item, "metadata", "generation")
    return number(item, "status", "observedGeneration", default=generation) < generation


def controlled_by(items: Sequence[Manifest], uid: object) -> list[Manifest]:
    """Those whose controller is the object of that uid."""
    return [
        item
        for item in items
        if any(ref.get("uid") == uid and ref.get("controller") for ref in item["metadata"].get("ownerReferences") or ())
    ]


def refusal(item: Manifest, events: Sequence[Manifest]) -> Trouble | None:
    """Why admission or quota refused the last Pod (or volume claim) that a controller wanted to make for ``item``.

    None if it made one after that. Times are whole seconds: within one second the success counts, as a refusal repeats.
    """
    attempts = [
        (str(event.get("lastTimestamp") or event.get("eventTime") or ""), event.get("reason") != "FailedCreate", event)
        for event in events
        if event.get("reason") in ("FailedCreate", "SuccessfulCreate")
        and mapping(event, "involvedObject").get("uid") == item["metadata"].get("uid")
    ]
    _, made, newest = max(attempts, key=lambda one: one[:2], default=("", True, {}))
    if made:
        return None
    text = str(newest.get("message"))
    return Trouble(code_of_text(text) or ReasonCode.POLICY, text)
