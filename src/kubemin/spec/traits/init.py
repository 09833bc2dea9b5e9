"""The ``init`` trait: containers that run, one after another, before the component's own."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.container_fields import OtherContainer
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel, Text
from kubemin.spec.traits.container import NestedTraits, check_nested, made_nested
from kubemin.spec.values import check_env, check_image


class InitProperties(OtherContainer):
    """What the container runs."""

    restart_policy: Literal["Always"] | None = Field(
        default=None, description="`Always`: it runs on beside the others, which start when it has started"
    )


class Init(SpecModel):
    """An init container. Its name defaults to ``<component>-init-<number>``."""

    name: Text = Field(default="", description="name of the container")
    properties: InitProperties = Field(default=InitProperties(), description="what it runs")
    traits: NestedTraits = Field(default=NestedTraits(), description="traits of this container")


def check(containers: Sequence[Init], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``init``. What the containers of a Pod share is checked for the whole Pod."""
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        what = f'Init container "{container.name or index}" of component "{context.component}"'
        yield from check_image(container.properties.image, what, f"{here}.properties.image")
        yield from check_env(container.properties.env, what, f"{here}.properties.env")
        yield from check_nested(container.traits, context, f"{here}.traits")
        if container.properties.restart_policy is not None:
            continue
        if container.traits.probes:
            message = f"{what} ends by itself, so it can have no probes: with restartPolicy: Always it runs on."
            yield Issue(f"{here}.traits.probes", IssueCode.INVALID_PROBE_CONFIG, message)
        if container.properties.lifecycle is not None:
            message = f"{what} ends by itself, so it can have no lifecycle: with restartPolicy: Always it runs on."
            yield Issue(f"{here}.properties.lifecycle", IssueCode.INVALID_TRAIT_CONFIG, message)


def made(containers: Sequence[Init], context: CheckContext, path: str) -> Iterator[Made]:
    """The objects that the containers' own traits make."""
    for index, container in enumerate(containers):
        yield from made_nested(container.traits, context, f"{path}[{index}].traits")
