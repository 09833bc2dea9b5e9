"""The secret values that a component holds, each by its place: what replies mask, and what a mask stands for."""

from collections.abc import Mapping
from typing import Any

from kubemin.spec.component import Properties
from kubemin.spec.config import MASK
from kubemin.spec.manifests import secrets_in, with_secrets


def values_in(properties: Properties) -> dict[str, str]:
    """By place: keys of ``secret``, and those of the Secrets among ``manifests``, which have a "/" in them."""
    return {**properties.secret, **secrets_in(properties.manifests)}


def with_values(properties: Properties, known: Mapping[str, str]) -> Properties:
    """The properties with each mask replaced by the value of its place, where that is known."""
    given = values_in(properties)
    new = {place: known[place] for place, value in given.items() if value == MASK and place in known}
    if not new:
        return properties
    secret = {key: new.get(key, value) for key, value in properties.secret.items()}
    return properties.model_copy(update={"secret": secret, "manifests": with_secrets(properties.manifests, new)})


def masked(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as JSON, each secret value masked."""
    shown = dict(properties)
    if properties.get("secret"):
        shown["secret"] = dict.fromkeys(properties["secret"], MASK)
    if manifests := properties.get("manifests"):
        shown["manifests"] = with_secrets(manifests, dict.fromkeys(secrets_in(manifests), MASK))
    return shown


def values_in_json(properties: Mapping[str, Any]) -> dict[str, str]:
    """As `values_in`, of unread JSON: what has another shape is passed over."""
    secret, manifests = properties.get("secret"), properties.get("manifests")
    texts = {key: value for key, value in secret.items() if isinstance(value, str)} if isinstance(secret, dict) else {}
    return {**texts, **(secrets_in(manifests) if isinstance(manifests, list) else {})}
