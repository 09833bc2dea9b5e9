"""Which addresses are public, by explicit ranges; which hosts of a URL everybody reads alike; a URL with a query."""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import urlencode

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers (CGNAT)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # looks public, is the host's own service (Azure)
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All global unicast. Outside of it: loopback, mapped (::ffff:0:0/96), compatible (::/96), translated (::ffff:0:0:0/96,
64:ff9b:1::/48), ULA, link-local, site-local, multicast."""
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3ffe::/16",  # the former test network
        "3fff::/20",  # documentation
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network without IPv4 writes IPv4 addresses: judged by the address that is inside."""

_NAME = re.compile(r"[-._a-zA-Z0-9]+")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def is_public(text: str) -> bool:
    """Whether ``text`` is an IP address, plainly written and without a zone, that is public and of one host."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


def is_address(host: str) -> bool:
    """Whether a URL's host, without brackets, is an IP address in its plain form."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_plain_host(host: str) -> bool:
    """Whether a URL's host, without brackets, means the same to everybody who reads it.

    Refused: numbers that some take for an IPv4 address (``127.1``, ``0x7f.1``, ``2130706433``, ``127.0.0.1.``), and
    characters that some take for others (full-width letters, foreign digits and dots, invisible ones).
    """
    if is_address(host):
        return True
    plain = "".join(char for char in host if not _is_letter_of_its_own(char))
    if plain and not _NAME.fullmatch(plain):
        return False
    return not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2])


def _is_letter_of_its_own(char: str) -> bool:
    """A letter, or a mark on one, outside ASCII that no normalization turns into another."""
    foreign = not char.isascii() and unicodedata.category(char)[0] in "LM"
    return foreign and unicodedata.normalize("NFKC", char) == char


def with_query(url: str, fields: Mapping[str, object]) -> str:
    """A URL, which may have a query already, with these fields more."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"
