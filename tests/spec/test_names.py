"""Names, ids and quantities."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec import names
from kubemin.spec.ids import new_id
from kubemin.spec.quantity import parse_quantity

from .strategies import APP_ID, labels_

Namer = Callable[[str, str], str]

NAMERS: tuple[Namer, ...] = (
    names.deployment_name,
    names.stateful_set_name,
    names.batch_job_name,
    names.service_name,
    names.headless_name,
    names.claim_name,
    names.ingress_name,
)


@given(labels_(), st.sampled_from(NAMERS))
def test_object_names_are_names(name: str, namer: Namer) -> None:
    made = namer(name, APP_ID)
    assert names.is_service_name(made)
    assert made.endswith(f"-{APP_ID}")


@given(labels_(), labels_(), st.sampled_from(NAMERS))
def test_two_names_stay_two(one: str, other: str, namer: Namer) -> None:
    assert (namer(one, APP_ID) == namer(other, APP_ID)) == (one == other)


def test_short_names_are_plain() -> None:
    assert names.deployment_name("web", APP_ID) == f"deploy-web-{APP_ID}"
    assert names.stateful_set_name("db", APP_ID) == f"store-db-{APP_ID}"
    assert names.claim_name("data", APP_ID) == f"pvc-data-{APP_ID}"


@given(labels_())
def test_stateful_sets_leave_room_for_the_revision(name: str) -> None:
    revision = f"{names.stateful_set_name(name, APP_ID)}-{'f' * 10}"
    assert names.is_label_value(revision)


@given(labels_(), st.integers(1, 65535))
def test_port_names(component: str, port: int) -> None:
    name = names.port_name(component, port)
    assert len(name) <= 15
    assert "--" not in name
    assert any(c.isalpha() for c in name)
    assert name in (f"{component}-{port}", f"p-{port}")


def test_plain_port_names() -> None:
    assert names.port_name("web", 8080) == "web-8080"
    assert names.port_name("catalogue-api", 8080) == "p-8080"
    assert names.port_name("42", 8080) == "p-8080"
    assert names.port_name("a--b", 80) == "p-80"


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a.b", "a_b", "a" * 64, "a\n", "ä"])
def test_no_label(text: str) -> None:
    assert not names.is_label(text)


@pytest.mark.parametrize("text", ["a", "1", "a-b", "a--b", "a" * 63])
def test_label(text: str) -> None:
    assert names.is_label(text)


@pytest.mark.parametrize("text", ["a", "a.b", "a.b-c.d", "1.2"])
def test_subdomain(text: str) -> None:
    assert names.is_subdomain(text)


@pytest.mark.parametrize("text", ["", ".a", "a.", "a..b", "a.-b", "A.b", "a\n", "a" * 254])
def test_no_subdomain(text: str) -> None:
    assert not names.is_subdomain(text)


@pytest.mark.parametrize("text", ["a", "a/b", "x.y/a_b.c", "A-1"])
def test_label_key(text: str) -> None:
    assert names.is_label_key(text)


@pytest.mark.parametrize("text", ["", "/a", "a/", "a/b/c", "A_/b", "-a", "a b", "a" * 64])
def test_no_label_key(text: str) -> None:
    assert not names.is_label_key(text)


@pytest.mark.parametrize("text", ["a.json", ".env", "_", "-", "A" * 253])
def test_data_key(text: str) -> None:
    assert names.is_data_key(text)


@pytest.mark.parametrize("text", ["", ".", "..", "..a", "a/b", "a b", "A" * 254, "ä"])
def test_no_data_key(text: str) -> None:
    assert not names.is_data_key(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("+1", "1"),
        ("0.5", "0.5"),
        ("500m", "0.5"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("1k", "1000"),
        ("1e3", "1000"),
        ("1E", "1000000000000000000"),
        ("2E-1", "0.2"),
        ("10n", "0.00000001"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0", "0"),
    ],
)
def test_quantity(text: str, number: str) -> None:
    assert parse_quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1gi", "1GB", "-1", "1e", "1e1000", "Gi", "1..2", "١", "9" * 65])
def test_no_quantity(text: str) -> None:
    assert parse_quantity(text) is None


def test_ids_fit_into_names() -> None:
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(id_) == 24 and names.is_label(id_) for id_ in ids)
