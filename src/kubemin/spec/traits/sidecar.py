# ruff: noqa: RUF012  (Pydantic copies defaults)
"""The ``sidecar`` trait: containers beside the component's own."""

from collections.abc import Iterator, Sequence

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue
from kubemin.spec.model import SpecModel, Text
from kubemin.spec.traits.container import NestedTraits, check_nested, made_nested
from kubemin.spec.values import check_env, check_image


class Sidecar(SpecModel):
    """A sidecar container. Its name defaults to ``<component>-sidecar-<number>``."""

    name: Text = ""
    image: Text = ""
    command: list[Text] = []
    args: list[Text] = []
    env: dict[Text, Text] = {}
    traits: NestedTraits = NestedTraits()


def check(containers: Sequence[Sidecar], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``sidecar``. That container names differ is checked for the whole Pod."""
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
