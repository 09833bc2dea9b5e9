"""Quantities have one spelling, and keep their value in it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesim.admit.quantity import canonical_quantity, milli_quantity, quantity_value


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000", "1k"),
        ("1000m", "1"),
        ("0.1Gi", "107374182400m"),  # no whole number of bytes: shown in thousandths
        ("0.5Ki", "512"),  # too small for a binary suffix
        ("1025", "1025"),
        ("1e3", "1e3"),
        ("0Mi", "0"),
        ("-5", "-5"),
        ("1e-12", "1e-9"),  # nothing is smaller than a nano
        ("12E", "9223372036854775807"),
    ],
)
def test_spelling(given: str, spelled: str) -> None:
    assert canonical_quantity(given) == spelled


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1gi", "1.2.3", "--1", "1e", "NaN", "inf", "1Ｇi", "٣"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        canonical_quantity(text)


SUFFIXES = st.sampled_from(["n", "u", "m", "", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e0", "e2", "e-1"])


@given(st.decimals(min_value=-1000, max_value=1000, places=3), SUFFIXES)
def test_the_spelling_keeps_the_value_and_stays(number: Decimal, suffix: str) -> None:
    text = f"{number:f}{suffix}"
    spelled = canonical_quantity(text)
    assert quantity_value(spelled) == quantity_value(text)
    assert canonical_quantity(spelled) == spelled


def test_resources_are_rounded_up_to_thousandths() -> None:
    assert milli_quantity("100u") == "1m"
    assert milli_quantity("1500001u") == "1501m"
