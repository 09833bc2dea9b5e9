"""Resource quantities: their value, and their one canonical spelling (``0.5`` is ``500m``, ``1024Mi`` is ``1Gi``)."""

import re
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache

__all__ = ["MALFORMED", "canonical_quantity", "milli_quantity", "quantity_value"]

_PATTERN = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d+))", re.ASCII)
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIXES = {power: suffix for suffix, power in _DECIMAL.items()}
MALFORMED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_NANO = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)
_EXACT = Context(prec=60)


def _parse(text: str) -> tuple[Decimal, str]:
    """The value and the form: ``binary``, ``decimal`` or ``exponent``."""
    match = _PATTERN.fullmatch(text)
    if match is None or len(text) > 64:
        raise ValueError(MALFORMED)
    sign, digits, binary, suffix, exponent = match.groups()
    value = Decimal(sign + digits)
    if binary:
        value, form = value * 1024 ** _BINARY.index(binary), "binary"
    elif exponent is not None:
        value, form = value.scaleb(min(int(exponent), 30)), "exponent"
    else:
        value, form = value.scaleb(_DECIMAL[suffix]), "decimal"
    if abs(value) > _LARGEST:
        return _LARGEST.copy_sign(value), form
    # Nothing is smaller than a nano: what is gets rounded away from zero.
    return value.quantize(_NANO, rounding=ROUND_UP, context=_EXACT).normalize(_EXACT), form


@lru_cache(maxsize=4096)
def quantity_value(text: str) -> Decimal:
    """The number a quantity stands for. Raises ValueError with the API server's words."""
    return _parse(text)[0]


@lru_cache(maxsize=4096)
def canonical_quantity(text: str) -> str:
    """The spelling that the API server gives back. Raises ValueError with the API server's words."""
    value, form = _parse(text)
    if value == 0:
        return "0"
    if form == "binary":
        if abs(value) < 1024 or value != value.to_integral_value():
            form = "decimal"  # too small or broken for a binary suffix
        else:
            whole, power = int(value), 0
            while whole % 1024 == 0 and power < len(_BINARY) - 1:
                whole, power = whole // 1024, power + 1
            return f"{whole}{_BINARY[power]}"
    power = -9
    scaled = value.scaleb(9)
    while power < 18 and scaled % 1000 == 0:
        scaled, power = scaled / 1000, power + 3
    if form == "exponent":
        return f"{int(scaled)}e{power}" if power else str(int(scaled))
    return f"{int(scaled)}{_SUFFIXES[power]}"


def milli_quantity(text: str) -> str:
    """The quantity in thousandths, rounded up."""
    return canonical_quantity(f"{quantity_value(text).scaleb(3).to_integral_value(rounding=ROUND_UP)}m")
