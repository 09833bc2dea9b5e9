"""The ``sidecar`` trait: containers beside the component's own."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.container_fields import OtherContainer
from kubemin.spec.issues import Issue
from kubemin.spec.model import Text
from kubemin.spec.traits.container import NestedTraits, check_nested, made_nested
from kubemin.spec.values import check_env, check_image


class Sidecar(OtherContainer):
    """A sidecar container. Its name defaults to ``<component>-sidecar-<number>``."""

    name: Text = Field(default="", description="name of the container")
    traits: NestedTraits = Field(default=NestedTraits(), description="traits of this container")


def check(containers: Sequence[Sidecar], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``sidecar``. What the containers of a Pod share is checked for the whole Pod."""
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        what = f'Sidecar "{container.name or index}" of component "{context.component}"'
        yield from check_image(container.image, what, f"{here}.image")
        yield from check_env(container.env, what, f"{here}.env")
        yield from check_nested(container.traits, context, f"{here}.traits")


def made(containers: Sequence[Sidecar], context: CheckContext, path: str) -> Iterator[Made]:
    """The objects that the containers' own traits make."""
    for index, container in enumerate(containers):
        yield from made_nested(container.traits, context, f"{path}[{index}].traits")
