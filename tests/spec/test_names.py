"""Names, ids and quantities."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubemin.spec import names
from kubemin.spec.ids import application_id, component_id, new_id
from kubemin.spec.quantity import parse_quantity

from .strategies import labels_

KINDS = st.sampled_from(["Deployment", "StatefulSet", "Service", "Job", "ConfigMap", "PersistentVolumeClaim"])
MORE = st.sampled_from([(), ("headless",), ("0a1b2c3d",), ("d" * 63,)])


@given(labels_(), labels_(), MORE, KINDS)
def test_object_names_are_names_at_every_length(app: str, component: str, more: tuple[str, ...], kind: str) -> None:
    made = names.object_name(kind, names.main_name(app, component), *more)
    assert names.is_label(made)
    assert names.is_service_name(made) == app[0].isalpha()
    if kind == "StatefulSet":  # leaves room for the revision
        assert names.is_label_value(f"{made}-{'f' * 10}")


@given(labels_(), labels_(), labels_(), MORE, KINDS)
def test_two_components_of_an_application_stay_two(
    app: str, one: str, other: str, more: tuple[str, ...], kind: str
) -> None:
    made = [names.object_name(kind, names.main_name(app, name), *more) for name in (one, other)]
    assume(app not in (one, other) or (f"{app}-{one}" != other and f"{app}-{other}" != one))
    assert (made[0] == made[1]) == (one == other)


def test_short_names_are_plain() -> None:
    assert names.object_name("Deployment", names.main_name("shop", "web")) == "shop-web"
    assert names.object_name("StatefulSet", names.main_name("shop", "shop")) == "shop"
    assert names.headless_name("shop-db") == "shop-db-headless"


@given(labels_(), labels_())
def test_ids_follow_from_names(one: str, other: str) -> None:
    assert names.is_label(application_id(one, other))
    assert (application_id(one, other) == application_id(other, one)) == (one == other)
    assert component_id(application_id(one, other), one) < 2**53


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
