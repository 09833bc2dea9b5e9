"""Names: what Kubernetes accepts, and how KubeMin makes the names of its objects."""

import hashlib
import re

DEFAULT_NAMESPACE = "default"
"""Where an application is that names no namespace."""

DEFAULT_CLUSTER = "default"
"""Where an application is that names no cluster."""

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
SHORTER = {"StatefulSet": 52, "CronJob": 52}
"""Pods of a StatefulSet are labelled ``<name>-<hash of 10>``, Jobs of a CronJob named ``<name>-<minute>``: a label
value has 63 characters at most, and a Pod's name too."""

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


def is_port_name(text: str) -> bool:
    """The name of a port of a container: at most 15 lower-case letters, digits and ``-``, one of them a letter."""
    return len(text) <= 15 and _PORT_NAME.fullmatch(text) is not None


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: cut, with a hash, so that two long names stay two names."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: limit - 9].rstrip('-._')}-{digest}"


def shown(cluster: str, namespace: str, name: str) -> str:
    """An application as people name it: ``namespace/name``, with its cluster before it unless that is ``default``."""
    return f"{namespace}/{name}" if cluster == DEFAULT_CLUSTER else f"{cluster}/{namespace}/{name}"


def main_name(application: str, component: str) -> str:
    """What a component's objects are called where nothing else is said, before it is cut."""
    return application if component == application else f"{application}-{component}"


def object_name(kind: str, main: str, *more: str) -> str:
    """Name of an object of a kind that is built on a component's main name; too long, it is cut with a hash."""
    return shorten("-".join((main, *more)), SHORTER.get(kind, LABEL_LENGTH))


def headless_name(main: str) -> str:
    """Name of the headless Service that gives a store's Pods their DNS names."""
    return object_name("Service", main, "headless")


CANARY, GREEN = "canary", "green"
"""What the names of the objects end with that are there beside a component's own while its Pods are replaced."""


def beside_name(kind: str, name: str, track: str) -> str:
    """Name of the object of such a track that is beside the one of this name."""
    return object_name(kind, name, track)


def track_label(component: str, track: str) -> str:
    """The value of the label that else is a component's name, on the Pods of such a track; no component is named so."""
    return shorten(f"{component}.{track}", LABEL_LENGTH)


def port_name(component: str, port: int) -> str:
    """``<component>-<port>``, or ``p-<port>`` where that is no port name (over 15 characters, no letter, ``--``)."""
    name = f"{component}-{port}"
    return name if is_port_name(name) else f"p-{port}"
