"""The rules of roles, as rights: what one rule grants, and what a list of rules adds up to. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from kubesim.jsondata import Object


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource (``pods/log`` for a subresource), or on one URL.

    ``name`` is that of the object; empty where a request names none, and in a rule that means all of them.
    """

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    url: str = ""


def rights_of(rules: Iterable[Object]) -> Iterator[Right]:
    """Every right that the rules grant, one by one."""
    for rule in rules:
        verbs = rule["verbs"]
        names = rule.get("resourceNames") or [""]
        for group, resource, verb, name in product(
            rule.get("apiGroups") or (), rule.get("resources") or (), verbs, names
        ):
            yield Right(verb, group, resource, name)
        for url, verb in product(rule.get("nonResourceURLs") or (), verbs):
            yield Right(verb, url=url)


def is_granted(right: Right, rules: Iterable[Object]) -> bool:
    """Whether one of the rules grants all of the right."""
    return any(_grants(rule, right) for rule in rules)


def _grants(rule: Object, right: Right) -> bool:
    if not {"*", right.verb} & set(rule["verbs"]):
        return False
    if right.url:
        return any(_same_url(url, right.url) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    subresource = right.resource.partition("/")[2]
    fitting = {"*", right.resource, *([f"*/{subresource}"] if subresource else [])}
    return bool(
        {"*", right.group} & set(rule.get("apiGroups") or ())
        and fitting & set(rule.get("resources") or ())
        and (not names or right.name in names)
    )


def _same_url(pattern: str, url: str) -> bool:
    return pattern == url or (pattern.endswith("*") and url.startswith(pattern.rstrip("*")))


def described(rights: Iterable[Right]) -> list[str]:
    """The rights as the API server lists them in a refusal: the verbs of one resource together, sorted."""
    verbs: dict[Right, list[str]] = {}
    for right in rights:
        key = Right(right.verb if right.url else "", right.group, right.resource, right.name, right.url)
        verbs.setdefault(key, []).append(right.verb)
    return sorted({_compact(key, found) for key, found in verbs.items()})


def _compact(right: Right, verbs: list[str]) -> str:
    fields = (
        {"NonResourceURLs": [right.url]} if right.url else {"APIGroups": [right.group], "Resources": [right.resource]}
    )
    if right.name:
        fields["ResourceNames"] = [right.name]
    fields["Verbs"] = verbs
    return "{" + ", ".join(f"{field}:{quoted(values)}" for field, values in fields.items()) + "}"


def quoted(values: Iterable[str]) -> str:
    """A list of strings as Go prints it."""
    return "[" + " ".join(f'"{value}"' for value in values) + "]"
