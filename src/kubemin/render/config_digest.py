"""What a Pod reads of the application's own configuration, as one word: when that changes, the Pods are replaced.

Whoever may look at a Deployment sees the word, also those who may not look at Secrets. So it is keyed, by random bytes
that only the database has: nobody can try values until the word fits. Without a key Secrets are left out of it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping

from kubemin.render.model import Rendered
from kubemin.render.references import configuration_of
from kubemin.spec.application import Application
from kubemin.spec.component_types import CONFIG, MAIN_KINDS, SECRET
from kubemin.spec.labels import CONFIG_DIGEST
from kubemin.spec.names import object_name
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ShareStrategy

_LENGTH = 16


def config_digests(application: Application, key: str) -> Mapping[ObjectRef, str]:
    """Of each ConfigMap and Secret that the application writes, a digest of what its file says.

    Text that is fetched by URL when the task runs is not known yet: the URL stands for it.
    """
    found: dict[ObjectRef, str] = {}
    for component in application.component:
        share = component.traits.share
        if share is not None and share.strategy == ShareStrategy.IGNORE:
            continue
        namespace = application.namespace_of(component)
        name = object_name(MAIN_KINDS.get(component.type, ""), application.main_name(component))
        if component.type == CONFIG:
            found[ObjectRef("ConfigMap", namespace, name)] = _digest(component.properties.conf, key)
        elif component.type == SECRET and key and not component.is_external:  # others may change its values at any time
            found[ObjectRef("Secret", namespace, name)] = _digest(component.properties.secret, key)
    return found


def digest_of_read(pod: Manifest, namespace: str, digests: Mapping[ObjectRef, str], key: str) -> str | None:
    """One digest of all that a Pod's spec reads and ``digests`` knows; None if that is nothing."""
    read = {ObjectRef(kind, namespace, name) for kind, name in configuration_of(pod)}
    known = {f"{ref.kind}/{ref.name}": digests[ref] for ref in read if ref in digests}
    return _digest(known, key) if known else None


def digests_of(rendered: Iterable[Rendered]) -> dict[str, str]:
    """By component, the digest that its Pods are given; those that have none are left out."""
    found = {}
    for one in rendered:
        template = one.manifest.get("spec", {}).get("template", {})
        if digest := template.get("metadata", {}).get("annotations", {}).get(CONFIG_DIGEST):
            found[one.component] = digest
    return found


def _digest(data: Mapping[str, str], key: str) -> str:
    text = json.dumps(data, sort_keys=True).encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()[:_LENGTH]
