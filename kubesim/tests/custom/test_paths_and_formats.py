"""What printer columns point at, and which strings have a format."""

from typing import Any

import pytest

from kubesim.custom.formats import fits
from kubesim.custom.jsonpath import find

OBJ: dict[str, Any] = {
    "spec": {"size": 1, "items": [{"name": "a", "n": 1}, {"name": "b", "n": 2}]},
    "metadata": {"annotations": {"example.com/x": "y"}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Late", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.size", [1]),
        ("spec.size", [1]),
        (".spec.none", []),
        (".spec.items[1].name", ["b"]),
        (".spec.items[-1].n", [2]),
        (".spec.items[7].n", []),
        (".spec.items[*].n", [1, 2]),
        (r".metadata.annotations.example\.com/x", ["y"]),
        (".metadata.annotations['example.com/x']", ["y"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type == 'Ready')].status", ["True"]),
        ('.status.conditions[?(@.type!="Ready")].status', ["False"]),
        (".spec.items[?(@.n==2)].name", ["b"]),
        (".spec[", []),
    ],
)
def test_what_a_path_finds(path: str, found: list[Any]) -> None:
    assert find(OBJ, path) == found


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ipv4", "10.0.0.1", "10.0.0"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "11111111-2222-3333-4444-555555555555", "1111"),
        ("hostname", "a.example.com", "a_b"),
        ("email", "a@example.com", "a"),
        ("uri", "https://example.com/x", "no"),
        ("byte", "aGk=", "?"),
        ("date", "2026-01-31", "2026-02-31"),
        ("date-time", "2026-01-31T10:00:00+01:00", "2026-01-31"),
        ("duration", "1h30m", "soon"),
        ("duration", "10 days", "10"),
        ("mac", "00:11:22:33:44:55", "00:11"),
        ("k8s-short-name", "a-b", "a.b"),
    ],
)
def test_which_strings_have_a_format(name: str, good: str, bad: str) -> None:
    assert fits(good, name)
    assert not fits(bad, name)
