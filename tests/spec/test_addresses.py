"""What counts as a public address, and as a host that everybody reads alike."""

import ipaddress
import unicodedata
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.addresses import is_plain_host, is_public

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

v4 = st.ip_addresses(v=4)
v6 = st.ip_addresses(v=6)


def six(prefix: str, address: ipaddress.IPv4Address, shift: int = 0) -> str:
    """An IPv6 address that holds an IPv4 address, ``shift`` bits from its end."""
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address) << shift))


@given(v4 | v6)
def test_what_is_public_is_so_by_the_standard_library_too(address: ipaddress.IPv4Address) -> None:
    if is_public(str(address)) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(v4)
def test_an_address_inside_another_is_not_reached_by_it(address: ipaddress.IPv4Address) -> None:
    tunnels = [
        six("::ffff:0:0", address),
        six("::", address),
        six("::ffff:0:0:0", address),
        six("64:ff9b:1::", address),
    ]
    tunnels += [six("2002::", address, 80), six("2001::", address, 64), six("2001::", address)]
    assert not [text for text in tunnels if is_public(text)]
    assert is_public(six("64:ff9b::", address)) == is_public(str(address))


SPECIAL = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4", "::/96", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48",
        "2001:db8::/32", "2002::/16", "3fff::/20", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "5f00::/16",
    )
]  # fmt: skip


@pytest.mark.parametrize("network", SPECIAL, ids=str)
def test_no_end_of_a_special_network_is_public(network: Network) -> None:
    assert not is_public(str(network[0]))
    assert not is_public(str(network[-1]))


@given(st.sampled_from(SPECIAL), st.data())
def test_no_address_of_a_special_network_is_public(network: Network, data: st.DataObject) -> None:
    assert not is_public(str(network[data.draw(st.integers(0, network.num_addresses - 1))]))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1", "2a00::1"])
def test_others_are(address: str) -> None:
    assert is_public(address)


@given(v4 | v6)
def test_a_plain_address_is_a_plain_host(address: ipaddress.IPv4Address) -> None:
    assert is_plain_host(str(address))


@given(st.integers(0, 2**32 - 1))
def test_a_number_in_another_form_is_neither_public_nor_plain(number: int) -> None:
    octets = list(number.to_bytes(4, "big"))
    spelled = [str(number), hex(number), hex(number).upper(), f"{octets[0]}.{number & 0xFFFFFF}"]
    spelled += [f"{octets[0]}.{octets[1]}.{number & 0xFFFF}", ".".join(f"0{one:o}" for one in octets)]
    spelled += [".".join(hex(one) for one in octets), f"{ipaddress.IPv4Address(number)}.", f"0{number:o}"]
    for text in spelled:
        assert not is_public(text)
        assert not is_plain_host(text)


@cache
def _alike(char: str) -> str:
    """The dots or digits of other scripts that mean the same."""
    if char == ".":
        return "．。｡․"
    return "".join(one for one in map(chr, range(128, 0x1FFFF)) if unicodedata.digit(one, None) == int(char))


@given(v4, st.data())
def test_digits_and_dots_of_other_scripts_are_not_plain(address: ipaddress.IPv4Address, data: st.DataObject) -> None:
    text = str(address)
    place = data.draw(st.integers(0, len(text) - 1))
    spelled = text[:place] + data.draw(st.sampled_from(_alike(text[place]))) + text[place + 1 :]
    assert not is_public(spelled)
    assert not is_plain_host(spelled)


@given(st.characters(exclude_categories=["Cs"]).filter(lambda c: not c.isascii()))
def test_no_character_hides_an_ascii_one(char: str) -> None:
    if is_plain_host(f"a{char}"):
        normal = unicodedata.normalize("NFKC", char)
        assert not any(one.isascii() for one in normal)
        assert char.isprintable()


@pytest.mark.parametrize(
    "host", ["example.org", "EXAMPLE.org", "example.org.", "a_b", "bücher.example", "例え.jp", "1a", "0x.example"]
)
def test_names_are_plain(host: str) -> None:
    assert is_plain_host(host)


@pytest.mark.parametrize(
    "host", ["a b", "a%31", "a\\b", "ℓocalhost", "ｌocalhost", "loc\u00adalhost", "a\u202eb", "١", "a.0x7f"]
)
def test_others_are_not(host: str) -> None:
    assert not is_plain_host(host)


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:4700::1%1", "127.0.0.1%lo", "localhost", "", "[::1]"])
def test_what_is_no_address_or_has_a_zone_is_not_public(address: str) -> None:
    assert not is_public(address)
