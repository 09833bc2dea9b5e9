"""The ``resources`` trait: what a container asks for, and may use at most."""

from collections.abc import Iterator

from pydantic import Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Quantity, SpecModel
from kubemin.spec.quantity import parse_quantity


class Resources(SpecModel):
    """Requests and limits, which are equal. ``gpu`` counts whole cards."""

    cpu: Quantity | None = Field(default=None, description="CPUs, such as `500m` or `2`")
    memory: Quantity | None = Field(default=None, description="memory, such as `256Mi`")
    gpu: Quantity | None = Field(default=None, description="graphics cards")


def check(resources: Resources, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``resources``."""
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
                f'Component "{context.component}" asks for {field} "{text}", '
                f'which is no {"whole number" if field == "gpu" else "quantity"} such as "{example}".',
            )
