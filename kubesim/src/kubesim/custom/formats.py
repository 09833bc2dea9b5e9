"""The formats of strings that a custom resource's schema may ask for. What is not known here is not checked."""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import urlsplit

from kubesim.admit.validation.formats import dns_label, dns_subdomain

__all__ = ["KNOWN", "fits", "is_known"]

_HEX = "[0-9a-f]"
_HOST = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DURATION = re.compile(
    r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*|[-+]?0"
)
_LONG_DURATION = re.compile(
    r"(\d+)\s*(ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)\w*", re.IGNORECASE
)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)")


def _tried(read: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return check


def _matched(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(third: str = _HEX, fourth: str = _HEX) -> Callable[[str], bool]:
    return _matched(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{third}{_HEX}{{3}}-?{fourth}{_HEX}{{3}}-?{_HEX}{{12}}")


def _date_time(text: str) -> bool:
    return bool(_DATE_TIME.fullmatch(text)) and _tried(datetime.fromisoformat)(text.upper())


def _uri(text: str) -> bool:
    try:
        found = urlsplit(text)
    except ValueError:
        return False
    return bool(found.scheme) or text.startswith("/")


def _cidr(text: str) -> bool:
    return "/" in text and _tried(lambda net: ip_network(net, strict=False))(text)


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _anything(text: str) -> bool:
    return True


KNOWN: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _matched(f"{_HEX}{{24}}"),
    "uri": _uri,
    "email": _matched(r"[^@\s]+@[^@\s]+"),
    "hostname": _matched(
        r"(?=.{1,253}\.?$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?"
    ),
    "ipv4": _tried(IPv4Address),
    "ipv6": _tried(IPv6Address),
    "cidr": _cidr,
    "mac": _matched(f"({_HEX}{{2}}[:-]){{5,7}}{_HEX}{{2}}|({_HEX}{{4}}\\.){{2,3}}{_HEX}{{4}}"),
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
    "isbn": _anything,
    "isbn10": _anything,
    "isbn13": _anything,
    "creditcard": _anything,
    "ssn": _matched(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matched(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "rgbcolor": _matched(r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)"),
    "byte": _tried(_base64),
    "password": _anything,
    "date": _tried(date.fromisoformat),
    "duration": lambda text: bool(_DURATION.fullmatch(text) or _LONG_DURATION.fullmatch(text)),
    "datetime": _date_time,
    "k8sshortname": lambda text: not dns_label(text),
    "k8slongname": lambda text: not dns_subdomain(text),
}
"""The check of each format, by its name without hyphens."""


_NUMBERS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def is_known(name: str, kind: str) -> bool:
    """Whether a format of values of that type is checked."""
    return name in _NUMBERS.get(kind, ()) or (kind in ("", "string") and name.replace("-", "") in KNOWN)


def fits(text: str, name: str) -> bool:
    """Whether a string has the format."""
    check = KNOWN.get(name.replace("-", ""))
    return check is None or check(text)
