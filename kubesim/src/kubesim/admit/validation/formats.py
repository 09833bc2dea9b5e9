"""The formats of names, keys and ports. Each check returns what is wrong, or nothing."""

import re
from functools import lru_cache

__all__ = [
    "config_key",
    "dns_label",
    "dns_subdomain",
    "env_name",
    "label_key",
    "label_value",
    "path_segment",
    "port_name",
    "port_number",
    "service_name",
    "wildcard_subdomain",
]

Messages = tuple[str, ...]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_label_pattern = re.compile(_LABEL)
_subdomain_pattern = re.compile(_SUBDOMAIN)
_service_pattern = re.compile(_SERVICE)
_wildcard_pattern = re.compile(_WILDCARD)
_name_part_pattern = re.compile(_NAME_PART)
_config_key_pattern = re.compile(_CONFIG_KEY)


def _longer_than(limit: int) -> str:
    return f"must be no more than {limit} characters"


def _expected(message: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


@lru_cache(maxsize=8192)
def dns_subdomain(value: str) -> Messages:
    """The names of most objects."""
    found = []
    if len(value) > 253:
        found.append(_longer_than(253))
    if not _subdomain_pattern.fullmatch(value):
        message = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        found.append(_expected(message, _SUBDOMAIN, "example.com"))
    return tuple(found)


@lru_cache(maxsize=8192)
def dns_label(value: str) -> Messages:
    """The names of namespaces, containers, volumes."""
    found = []
    if len(value) > 63:
        found.append(_longer_than(63))
    if not _label_pattern.fullmatch(value):
        if _subdomain_pattern.fullmatch(value):
            found.append("must not contain dots")
        else:
            message = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
            found.append(_expected(message, _LABEL, "my-name", "123-abc"))
    return tuple(found)


@lru_cache(maxsize=8192)
def service_name(value: str) -> Messages:
    """The names of Services."""
    found = []
    if len(value) > 63:
        found.append(_longer_than(63))
    if not _service_pattern.fullmatch(value):
        message = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        found.append(_expected(message, _SERVICE, "my-name", "abc-123"))
    return tuple(found)


def path_segment(value: str) -> Messages:
    """The names of roles and bindings: anything that can stand in a path."""
    if value in (".", ".."):
        return (f"may not be '{value}'",)
    return tuple(f"may not contain '{letter}'" for letter in "/%" if letter in value)


def wildcard_subdomain(value: str) -> Messages:
    """Hosts such as ``*.example.com``."""
    found = []
    if len(value) > 253:
        found.append(_longer_than(253))
    if not _wildcard_pattern.fullmatch(value):
        message = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist "
            "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
        )
        found.append(_expected(message, _WILDCARD, "*.example.com"))
    return tuple(found)


_NAME_PART_MESSAGE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)


@lru_cache(maxsize=8192)
def label_key(value: str) -> Messages:
    """Keys of labels and, in lower case, annotations."""
    expected = _expected(_NAME_PART_MESSAGE, _NAME_PART, "MyName", "my.name", "123-abc")
    if value.count("/") > 1:
        return (
            f"a valid label key {expected} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    found: list[str] = []
    prefix, slash, name = value.rpartition("/")
    if slash:
        if not prefix:
            found.append("prefix part must be non-empty")
        found.extend(f"prefix part {message}" for message in (dns_subdomain(prefix) if prefix else ()))
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {_longer_than(63)}")
    if not _name_part_pattern.fullmatch(name):
        found.append(f"name part {expected}")
    return tuple(found)


@lru_cache(maxsize=8192)
def label_value(value: str) -> Messages:
    """Values of labels."""
    found = []
    if len(value) > 63:
        found.append(_longer_than(63))
    if value and not _name_part_pattern.fullmatch(value):
        message = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        found.append(_expected(message, f"({_NAME_PART})?", "MyValue", "my_value", "12345"))
    return tuple(found)


@lru_cache(maxsize=8192)
def config_key(value: str) -> Messages:
    """Keys of ConfigMaps and Secrets."""
    found = []
    if len(value) > 253:
        found.append(_longer_than(253))
    if not _config_key_pattern.fullmatch(value):
        message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        found.append(_expected(message, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value in (".", ".."):
        found.append(f"must not be '{value}'")
    elif value.startswith(".."):
        found.append("must not start with '..'")
    return tuple(found)


@lru_cache(maxsize=8192)
def env_name(value: str) -> Messages:
    """Names of environment variables."""
    if value and all(" " <= letter <= "~" and letter != "=" for letter in value):
        return ()
    if not value:
        return ("environment variable name must be non-empty",)
    return ("a valid environment variable name must consist only of printable ASCII characters other than '='",)


def port_number(value: int) -> Messages:
    """Port numbers."""
    return () if 1 <= value <= 65535 else ("must be between 1 and 65535, inclusive",)


@lru_cache(maxsize=8192)
def port_name(value: str) -> Messages:
    """Names of container ports, and of the ports that refer to them."""
    found = []
    if len(value) > 15:
        found.append(_longer_than(15))
    if not value or not all(letter in "-abcdefghijklmnopqrstuvwxyz0123456789" for letter in value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= letter <= "z" for letter in value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value[:1] == "-" or value[-1:] == "-":
        found.append("must not begin or end with a hyphen")
    return tuple(found)
