"""Names: what Kubernetes accepts, and how KubeMin makes the names of its objects."""

import hashlib
import re

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
STATEFUL_SET_LENGTH = 52
"""Pods of a StatefulSet are labelled ``<name>-<hash of 10>``, and a label value has 63 characters at most."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


def is_label(text: str) -> bool:
    """An RFC 1123 label: lower-case letters, digits and ``-``, at most 63."""
    return len(text) <= LABEL_LENGTH and _LABEL.fullmatch(text) is not None


def is_service_name(text: str) -> bool:
    """An RFC 1035 label, which begins with a letter."""
    return len(text) <= LABEL_LENGTH and _SERVICE.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """An RFC 1123 subdomain: labels joined by dots, at most 253."""
    return len(text) <= SUBDOMAIN_LENGTH and _SUBDOMAIN.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """The key of a Kubernetes label or annotation: a name, with a DNS prefix before a ``/`` if wanted."""
    prefix, slash, name = text.rpartition("/")
    named = len(name) <= LABEL_LENGTH and _QUALIFIED.fullmatch(name) is not None
    return named and (not slash or is_subdomain(prefix))


def is_label_value(text: str) -> bool:
    """The value of a Kubernetes label; it may be empty."""
    return text == "" or (len(text) <= LABEL_LENGTH and _QUALIFIED.fullmatch(text) is not None)


def is_data_key(text: str) -> bool:
    """A key of a ConfigMap or Secret. It becomes a file name, so it may not be ``.`` nor begin with ``..``."""
    valid = len(text) <= SUBDOMAIN_LENGTH and _KEY.fullmatch(text) is not None
    return valid and text != "." and not text.startswith("..")


def is_variable(text: str) -> bool:
    """The name of an environment variable, as every Kubernetes version takes it."""
    return _VARIABLE.fullmatch(text) is not None


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: cut, with a hash, so that two long names stay two names."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: limit - 9].rstrip('-._')}-{digest}"


def object_name(prefix: str, name: str, app_id: str, limit: int = LABEL_LENGTH) -> str:
    """``<prefix>-<name>-<app_id>`` in at most ``limit`` characters; what is cut is the name, never the id."""
    return f"{shorten(f'{prefix}-{name}', limit - len(app_id) - 1)}-{app_id}"


def port_name(component: str, port: int) -> str:
    """``<component>-<port>``, or ``p-<port>`` where that is no port name (over 15 characters, no letter, ``--``)."""
    name = f"{component}-{port}"
    return name if len(name) <= 15 and _PORT_NAME.fullmatch(name) else f"p-{port}"


def deployment_name(component: str, app_id: str) -> str:
    """Name of a webservice's Deployment."""
    return object_name("deploy", component, app_id)


def stateful_set_name(component: str, app_id: str) -> str:
    """Name of a store's StatefulSet."""
    return object_name("store", component, app_id, STATEFUL_SET_LENGTH)


def batch_job_name(component: str, app_id: str, version: str = "") -> str:
    """Name of a job component's batch Job; ``version`` tells apart Jobs of one component that differ."""
    return object_name("job", f"{component}-{version}" if version else component, app_id)


def service_name(component: str, app_id: str) -> str:
    """Name of a component's Service."""
    return object_name("svc", component, app_id)


def headless_name(component: str, app_id: str) -> str:
    """Name of the headless Service that gives a store's Pods their DNS names."""
    return object_name("hls", component, app_id)


def claim_name(volume: str, app_id: str) -> str:
    """Name of the claim that a component's volume gets."""
    return object_name("pvc", volume, app_id)


def ingress_name(name: str, app_id: str) -> str:
    """Name of an Ingress."""
    return object_name("ing", name, app_id)
