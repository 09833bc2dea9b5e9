"""What a check may look at besides the value that it checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The component around a trait, and the application around the component."""

    limits: Limits
    components: Mapping[str, tuple[int, ...]]
    """Ports of each component, by name."""
    component: str
    type: str
    namespace: str
    application_namespace: str
    main: str = ""
    """What its objects are called (`names.main_name`)."""
    defined: Mapping[str, bool] = field(default_factory=dict)
    """The kinds that the application itself defines (`manifests.scopes`)."""


@dataclass(frozen=True, slots=True)
class Made:
    """A Kubernetes object that a part of the application will make, and the field that asks for it."""

    ref: ObjectRef
    field: str
