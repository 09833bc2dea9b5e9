"""The ``resources`` trait: what a container asks for, and may use at most."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pydantic import Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Quantity, SpecModel, Text
from kubemin.spec.names import is_label_key
from kubemin.spec.quantity import parse_quantity

GPU = "nvidia.com/gpu"
_DIVIDED = ("cpu", "memory", "ephemeral-storage")
"""What may be asked for and used in different amounts. Of all else a container has what it asks for."""
_HUGE = "hugepages-"


class Resources(SpecModel):
    """What it asks for, and may use at most: equal, or apart. ``gpu`` counts whole cards."""

    cpu: Quantity | None = Field(default=None, description="CPUs, such as `500m` or `2`; request and limit")
    memory: Quantity | None = Field(default=None, description="memory, such as `256Mi`; request and limit")
    gpu: Quantity | None = Field(default=None, description="graphics cards")
    requests: dict[Text, Quantity] | None = Field(
        default=None, description="what it asks for: `cpu`, `memory`, `ephemeral-storage` or another resource → amount"
    )
    limits: dict[Text, Quantity] | None = Field(default=None, description="what it may use at most")

    def amounts(self) -> tuple[dict[str, str], dict[str, str]]:
        """Requests and limits, by Kubernetes' names."""
        given = {"cpu": self.cpu, "memory": self.memory, GPU: self.gpu}
        both = {name: amount for name, amount in given.items() if amount is not None}
        return {**both, **(self.requests or {})}, {**both, **(self.limits or {})}

    @property
    def asked_for(self) -> dict[str, str]:
        """What the container asks for: a limit alone is asked for too, as Kubernetes has it."""
        requests, limits = self.amounts()
        return {**limits, **requests}


def check(resources: Resources, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``resources``."""
    what = f'Component "{context.component}"'
    for field in ("cpu", "memory", "gpu"):
        text = getattr(resources, field)
        if text is None:
            continue
        amount = parse_quantity(text)
        if amount is None or (field == "gpu" and amount % 1):
            example = {"cpu": "500m", "memory": "256Mi", "gpu": "1"}[field]
            yield Issue(
                f"{path}.{field}",
                IssueCode.INVALID_TRAIT_CONFIG,
                f'{what} asks for {field} "{text}", '
                f'which is no {"whole number" if field == "gpu" else "quantity"} such as "{example}".',
            )
        yield from _check_given_once(resources, field, what, path)
    for side in ("requests", "limits"):
        for name, text in (getattr(resources, side) or {}).items():
            yield from _check_amount(name, text, what, f"{path}.{side}.{name}")
    yield from _check_pairs(resources, what, path)


def _check_given_once(resources: Resources, field: str, what: str, path: str) -> Iterator[Issue]:
    name = GPU if field == "gpu" else field
    for side in ("requests", "limits"):
        if name in (getattr(resources, side) or {}):
            message = f"{what} gives {field} for both requests and limits, and again here."
            yield Issue(f"{path}.{side}.{name}", IssueCode.INVALID_TRAIT_CONFIG, message)


def _check_amount(name: str, text: str, what: str, path: str) -> Iterator[Issue]:
    amount = parse_quantity(text)
    extended = "/" in name and is_label_key(name) and not name.startswith(("requests.", "kubernetes.io/"))
    if name not in _DIVIDED and not name.startswith(_HUGE) and not extended:
        message = f'{what}: "{name}" is no resource: there are {", ".join(_DIVIDED)}, and others such as {GPU}.'
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, message)
    elif amount is None or (extended and amount % 1):
        kind = "whole number" if extended else "quantity"
        message = f'{what} asks for {name} "{text}", which is no {kind} such as "1".'
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, message)


def _check_pairs(resources: Resources, what: str, path: str) -> Iterator[Issue]:
    """No request is above its limit; of what cannot be shared the two are the same."""
    requests, limits = (_parsed(amounts) for amounts in resources.amounts())
    for name in resources.requests or {}:
        here, request, limit = f"{path}.requests.{name}", requests.get(name), limits.get(name)
        if request is None:
            continue
        if limit is not None and request > limit:
            yield Issue(here, IssueCode.INVALID_TRAIT_CONFIG, f"{what} asks for more {name} than its limit.")
        elif name not in _DIVIDED and request != limit:
            message = f"{what} asks for {name}, which cannot be shared: its limit must be the same."
            yield Issue(here, IssueCode.INVALID_TRAIT_CONFIG, message)


def _parsed(amounts: Mapping[str, str]) -> dict[str, Decimal]:
    parsed = {name: parse_quantity(text) for name, text in amounts.items()}
    return {name: amount for name, amount in parsed.items() if amount is not None}
