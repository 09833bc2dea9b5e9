# ruff: noqa: RUF012  (Pydantic copies defaults)
"""The traits that concern one container, and so may be nested in ``init`` and ``sidecar``."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel
from kubemin.spec.traits import env_from, envs, probes, resources, storage
from kubemin.spec.traits.env_from import EnvFrom
from kubemin.spec.traits.envs import Env
from kubemin.spec.traits.probes import Probe
from kubemin.spec.traits.resources import Resources
from kubemin.spec.traits.storage import Storage


class ContainerTraits(SpecModel):
    """Traits of one container."""

    other_spellings = {"resource": "resources"}

    storage: list[Storage] = Field(default=[], description="volumes, and where they are mounted")
    env_from: list[EnvFrom] = Field(default=[], description="all keys of a ConfigMap or Secret as variables")
    envs: list[Env] = Field(default=[], description="single variables")
    resources: Resources | None = Field(default=None, description="requests and limits")
    probes: list[Probe] = Field(default=[], description="whether it is alive, ready, started")


class NestedTraits(ContainerTraits):
    """Traits of an init or sidecar container. What only a component may hold is read, so that it can be refused."""

    rbac: Any = None
    init: Any = None
    sidecar: Any = None
    ingress: Any = None
    expose: Any = None
    hpa: Any = None
    pdb: Any = None
    network_policy: Any = None
    share: Any = None


def _makes_nothing(_trait: Any, _scope: CheckContext, _path: str) -> Iterable[Made]:
    return ()


@dataclass(frozen=True, slots=True)
class Trait:
    """A trait as the checks see it: the field of the model, what can be wrong with it, and which objects it makes."""

    field: str
    check: Callable[[Any, CheckContext, str], Iterable[Issue]]
    made: Callable[[Any, CheckContext, str], Iterable[Made]] = _makes_nothing
    any_type: bool = False
    """Whether a component without containers (``config``, ``secret``) may have it too."""
    types: tuple[str, ...] = ()
    """The component types that may have it; empty: all that run containers."""


CONTAINER_TRAITS = (
    Trait("storage", storage.check, storage.made),
    Trait("env_from", env_from.check),
    Trait("envs", envs.check),
    Trait("resources", resources.check),
    Trait("probes", probes.check),
)


def given(traits: SpecModel, known: Iterable[Trait]) -> Iterator[tuple[Trait, Any, str]]:
    """The traits that are there: each with its value and the name of its field on the wire."""
    for trait in known:
        value = getattr(traits, trait.field)
        if value is not None and value != []:
            yield trait, value, str(type(traits).model_fields[trait.field].alias)


def check_nested(traits: NestedTraits, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with the traits of an init or sidecar container."""
    for trait, value, name in given(traits, CONTAINER_TRAITS):
        yield from trait.check(value, context, f"{path}.{name}")
    for field in NestedTraits.model_fields.keys() - ContainerTraits.model_fields.keys():
        name = str(NestedTraits.model_fields[field].alias)
        if getattr(traits, field) not in (None, [], {}):
            yield Issue(
                f"{path}.{name}",
                IssueCode.NESTED_TRAIT_FORBIDDEN,
                f'Component "{context.component}" holds {name} inside an init or sidecar container: '
                f"{name} belongs to the component itself.",
            )


def made_nested(traits: NestedTraits, context: CheckContext, path: str) -> Iterator[Made]:
    """The objects that the traits of an init or sidecar container make."""
    for trait, value, name in given(traits, CONTAINER_TRAITS):
        yield from trait.made(value, context, f"{path}.{name}")
