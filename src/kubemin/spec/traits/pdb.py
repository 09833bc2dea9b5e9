"""The ``pdb`` trait: how many of its Pods a component can spare while nodes are drained."""

import math
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel, int32
from kubemin.spec.names import object_name
from kubemin.spec.objects import ObjectRef

_PERCENT = re.compile(r"([0-9]{1,3})%", re.ASCII)


def _count(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return int32(value)
    if not isinstance(value, str) or "\0" in value:
        raise PydanticCustomError("count", 'must be a whole number, or a percentage such as "50%"')
    return value


Count = Annotated[int | str, PlainValidator(_count, json_schema_input_type=int | str)]
"""So many Pods, or a percentage of them."""


class Pdb(SpecModel):
    """A PodDisruptionBudget over the component's Pods. It has one of the two fields."""

    min_available: Count | None = Field(default=None, description="so many stay, or such a percentage of all")
    max_unavailable: Count | None = Field(default=None, description="so many may go at once, or such a percentage")

    def never_lets_go(self, replicas: int | None) -> bool:
        """Whether not one Pod of so many may ever be moved; None: nobody knows how many there are."""
        if self.max_unavailable is not None:
            return _of(self.max_unavailable, 100) == 0
        if self.min_available is None or replicas == 0:
            return False
        if replicas is None:
            return self.min_available == "100%"
        return _of(self.min_available, replicas) >= replicas


def _of(count: int | str, replicas: int) -> int:
    """As a number of Pods: Kubernetes rounds percentages up. The count is valid."""
    return count if isinstance(count, int) else math.ceil(int(count.rstrip("%")) * replicas / 100)


def check(pdb: Pdb, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``pdb``."""
    what = f'The disruption budget of component "{context.component}"'
    given = {"minAvailable": pdb.min_available, "maxUnavailable": pdb.max_unavailable}
    if len([count for count in given.values() if count is not None]) != 1:
        message = f"{what} needs either minAvailable or maxUnavailable."
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, message)
    for field, count in given.items():
        if count is not None and not is_count(count):
            message = f'{what}: {field} must be a whole number of Pods, or a percentage such as "50%".'
            yield Issue(f"{path}.{field}", IssueCode.INVALID_TRAIT_CONFIG, message)


def is_count(count: int | str) -> bool:
    """Whether it is a number of Pods, or a percentage up to 100."""
    if isinstance(count, int):
        return count >= 0
    percent = _PERCENT.fullmatch(count)
    return percent is not None and int(percent[1]) <= 100


def made(_pdb: Pdb, context: CheckContext, path: str) -> Iterator[Made]:
    """The one object."""
    kind = "PodDisruptionBudget"
    yield Made(ObjectRef(kind, context.namespace, object_name(kind, context.main)), path)
