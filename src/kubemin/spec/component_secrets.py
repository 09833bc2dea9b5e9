"""The secret values that a component holds, each by its place: what replies mask, and what a mask stands for.

A place is a key of ``secret``; of the Secrets among ``manifests`` one that has a "/" in it; of a variable that is
marked as sensitive one that begins with ``traits:``. Variables that only look like it are shown: the reply is what a
console saves back, and a person wants to read what he wrote.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.spec.component import Component
from kubemin.spec.config import MASK
from kubemin.spec.manifests import secrets_in, with_secrets
from kubemin.spec.traits import Traits
from kubemin.spec.traits.envs import Env

_OF_TRAITS = "traits:"


def variables_of(traits: Traits) -> Iterator[Env]:
    """The single variables of all containers."""
    yield from traits.envs
    for init in traits.init:
        yield from init.traits.envs
    for sidecar in traits.sidecar:
        yield from sidecar.traits.envs


def values_in(component: Component) -> dict[str, str]:
    """The component's secret values, by place."""
    properties = component.properties
    marked = any(env.sensitive for env in variables_of(component.traits))
    of_traits = _values_of(component.traits.dump()) if marked else {}
    return {**properties.secret, **secrets_in(properties.manifests), **of_traits}


def with_values(component: Component, known: Mapping[str, str]) -> Component:
    """The component with each mask replaced by the value of its place, where that is known."""
    given = values_in(component)
    new = {place: known[place] for place, value in given.items() if value == MASK and place in known}
    if not new:
        return component
    properties = component.properties
    secret = {key: new.get(key, value) for key, value in properties.secret.items()}
    update: dict[str, object] = {
        "properties": properties.model_copy(
            update={"secret": secret, "manifests": with_secrets(properties.manifests, new)}
        )
    }
    if any(place.startswith(_OF_TRAITS) for place in new):
        update["traits"] = Traits.model_validate(_with_values(component.traits.posted(), new))
    return component.model_copy(update=update)


def masked_traits(traits: dict[str, Any]) -> dict[str, Any]:
    """Traits as JSON, the value of each variable that is marked as sensitive masked."""
    values = _values_of(traits)
    return _with_values(traits, dict.fromkeys(values, MASK)) if values else traits


def _values_of(traits: Mapping[str, Any]) -> dict[str, str]:
    return {place: str(source["static"]) for place, source in _marked(traits, _OF_TRAITS)}


def _with_values(traits: Mapping[str, Any], new: Mapping[str, str]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(traits))
    for place, source in _marked(changed, _OF_TRAITS):
        source["static"] = new.get(place, source["static"])
    return changed


def _marked(traits: Mapping[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The ``valueFrom`` of each variable that is marked, in JSON that nobody may have checked."""
    for env in _dicts(traits.get("envs")):
        source = env.get("valueFrom", env.get("value_from"))
        if env.get("sensitive") is True and isinstance(source, dict) and isinstance(source.get("static"), str):
            yield f"{place}envs.{env.get('name')}", source
    for kind in ("init", "sidecar"):
        for number, container in enumerate(_dicts(traits.get(kind))):
            inner = container.get("traits")
            if isinstance(inner, dict):
                yield from _marked(inner, f"{place}{kind}[{container.get('name') or number}].")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def masked(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as JSON, each secret value masked."""
    shown = dict(properties)
    if properties.get("secret"):
        shown["secret"] = dict.fromkeys(properties["secret"], MASK)
    if manifests := properties.get("manifests"):
        shown["manifests"] = with_secrets(manifests, dict.fromkeys(secrets_in(manifests), MASK))
    return shown


def values_in_json(part: Mapping[str, Any]) -> dict[str, str]:
    """As `values_in`, of a component as unread JSON: what has another shape is passed over."""
    properties, traits = part.get("properties"), part.get("traits")
    properties = properties if isinstance(properties, dict) else {}
    secret, manifests = properties.get("secret"), properties.get("manifests")
    texts = {key: value for key, value in secret.items() if isinstance(value, str)} if isinstance(secret, dict) else {}
    of_traits = _values_of(traits) if isinstance(traits, dict) else {}
    return {**texts, **(secrets_in(manifests) if isinstance(manifests, list) else {}), **of_traits}
