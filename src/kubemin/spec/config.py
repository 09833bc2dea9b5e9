"""What ``config`` and ``secret`` components hold, and the configuration that is fetched by URL."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from kubemin.spec.addresses import is_address, is_plain_host, is_public
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import Limits, LimitSettings
from kubemin.spec.names import is_data_key, is_label_key

MASK = "******"
"""Stands for the value of a secret in replies; in a request it means the value that is known already."""
URL_KEY = "config.url"
FILE_NAME_KEY = "config.fileName"
DEFAULT_FILE_NAME = "config"
OPAQUE = "Opaque"
"""The type of Secrets that are nothing more."""
_KEYS_OF_TYPES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    OPAQUE: (),
    "kubernetes.io/dockerconfigjson": ((".dockerconfigjson",),),
    "kubernetes.io/dockercfg": ((".dockercfg",),),
    "kubernetes.io/tls": (("tls.crt",), ("tls.key",)),
    "kubernetes.io/basic-auth": (("username", "password"),),
    "kubernetes.io/ssh-auth": (("ssh-privatekey",),),
}
"""By type of Secrets: keys of which they have at least one each. Types that Kubernetes does not know are free."""
MAX_DATA = 1024 * 1024
"""Kubernetes' own limit for the data of one ConfigMap or Secret."""
_MAX_URL = 2048


def check_config(conf: Mapping[str, str], limits: Limits, what: str, path: str) -> Iterator[Issue]:
    """Keys, size and, if there is one, the URL of a configuration."""
    data = {key: value for key, value in conf.items() if key not in (URL_KEY, FILE_NAME_KEY)}
    yield from _check_data(data, what, path)
    if URL_KEY in conf:
        if wrong := wrong_with_url(conf[URL_KEY], limits):
            yield Issue(f"{path}.{URL_KEY}", IssueCode.INVALID_FIELD_VALUE, f"{what}: its configuration URL {wrong}.")
        name = conf.get(FILE_NAME_KEY) or DEFAULT_FILE_NAME
        if not is_data_key(name):
            yield Issue(
                f"{path}.{FILE_NAME_KEY}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what}: "{name}" cannot name a file in a ConfigMap.',
            )
        elif name in data:
            yield Issue(
                f"{path}.{name}",
                IssueCode.INVALID_FIELD_VALUE,
                f'{what} gives the key "{name}", under which the fetched configuration will lie.',
            )


def check_secret(secret: Mapping[str, str], what: str, path: str) -> Iterator[Issue]:
    """Keys and size of a secret. No message holds a value."""
    yield from _check_data(secret, what, path)


def check_secret_type(type_: str, secret: Collection[str], what: str, path: str) -> Iterator[Issue]:
    """That a Secret can be of this type: KubeMin gives out no tokens, and a known type has its keys."""
    if type_.startswith(("kubernetes.io/", "bootstrap.kubernetes.io/")) and type_ not in _KEYS_OF_TYPES:
        known = ", ".join(_KEYS_OF_TYPES)
        yield Issue(path, IssueCode.NOT_ALLOWED, f"{what} cannot be a Secret of the type {type_}; known are {known}.")
    elif not is_label_key(type_):
        yield Issue(path, IssueCode.INVALID_NAME_FORMAT, f'{what}: "{type_}" cannot be the type of a Secret.')
    for keys in _KEYS_OF_TYPES.get(type_, ()):
        if not any(key in secret for key in keys):
            message = f"{what} is a Secret of the type {type_}, which has the key {' or '.join(keys)}."
            yield Issue(path, IssueCode.INVALID_FIELD_VALUE, message)


def check_keys(data: Iterable[str], what: str, path: str) -> Iterator[Issue]:
    """Keys of a ConfigMap or Secret."""
    for key in data:
        if not is_data_key(key):
            yield Issue(
                f"{path}.{key}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what}: "{key}" cannot be a key: use letters, digits, "-", "_" and ".", at most 253.',
            )


def _check_data(data: Mapping[str, str], what: str, path: str) -> Iterator[Issue]:
    yield from check_keys(data, what, path)
    if sum(len(value.encode()) for value in data.values()) > MAX_DATA:
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what} holds more than 1 MiB of data.")


def wrong_with_url(url: str, limits: LimitSettings) -> str | None:
    """Why the URL is refused, by what its text tells. A name's addresses are looked at when they are connected to."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    odd = len(url) > _MAX_URL or " " in url or not url.isprintable()
    if parts.scheme not in ("http", "https") or not host or odd:
        return "must be an http:// or https:// address"
    if "@" in parts.netloc:
        return "must not hold a user name or password"
    if not is_plain_host(host):
        return "has a host that can be read in two ways: write an address as 192.0.2.1, a foreign name as xn--…"
    name = host.rstrip(".")
    private = not is_public(host) if is_address(host) else name == "localhost" or name.endswith(".localhost")
    return (
        "leads to a private address, which this server forbids" if private and not limits.allow_private_urls else None
    )
