"""Kubernetes quantities: ``500m``, ``1Gi``, ``1e3``."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"\+?(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d{1,2}))?", re.ASCII)
_BINARY = {suffix + "i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)}
_DECIMAL = {suffix: Decimal(1000) ** power for power, suffix in enumerate("num", start=-3)} | {
    suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)
}
_FACTORS = _BINARY | _DECIMAL


def parse_quantity(text: str) -> Decimal | None:
    """The number that a quantity of zero or more means; None if ``text`` is no such quantity."""
    match = _QUANTITY.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    factor = _FACTORS[suffix] if suffix else Decimal(10) ** int(exponent or 0)
    return Decimal(number) * factor
