"""What a saved draft leaves out: the web console sends back less of a component than it was given.

Of the fields in `SHOWN` the console sends all that there is, so an absent one was taken away. It cannot show the others
(and so no field that is added later), so an absent one is as before. A model that has no line in `SHOWN` is sent whole,
or not at all. Items of a list are recognised by their names (`NAMES`). A field that was sent is what is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from kubemin.spec.application import Application
from kubemin.spec.component import Component, Properties
from kubemin.spec.component_secrets import values_in, with_values
from kubemin.spec.component_types import CONFIG, SECRET
from kubemin.spec.model import SpecModel
from kubemin.spec.ports import Port
from kubemin.spec.traits import Traits
from kubemin.spec.traits.container import NestedTraits
from kubemin.spec.traits.envs import Env, ValueFrom
from kubemin.spec.traits.init import Init, InitProperties
from kubemin.spec.traits.probes import Probe
from kubemin.spec.traits.rbac import Rbac, Rule
from kubemin.spec.traits.sidecar import Sidecar
from kubemin.spec.traits.storage import Storage

M = TypeVar("M", bound=SpecModel)

_CONTAINER = frozenset({"storage", "envs"})
SHOWN: Mapping[type[SpecModel], frozenset[str]] = {
    Component: frozenset({"name", "type", "image", "template"}),
    Properties: frozenset({"image", "ports", "env", "command"}),
    Port: frozenset({"port"}),
    Traits: _CONTAINER | {"probes", "init", "sidecar", "rbac", "ingress"},
    NestedTraits: _CONTAINER,
    Storage: frozenset({"name", "type", "mount_path", "sub_path", "size", "source_name"}),
    Env: frozenset({"name"}),
    Probe: frozenset({"type", "initial_delay_seconds", "period_seconds", "timeout_seconds"}),
    Init: frozenset({"name"}),
    InitProperties: frozenset({"image", "env", "command"}),
    Sidecar: frozenset({"name", "image", "command"}),
    Rbac: frozenset({"service_account", "role_name", "binding_name", "rules", "role_labels"}),
    Rule: frozenset({"api_groups", "resources", "verbs"}),
}
SHOWN_PROPERTIES: Mapping[str, frozenset[str]] = {CONFIG: frozenset({"conf"}), SECRET: frozenset({"secret"})}
"""Of components of these types, instead of `SHOWN`."""
NAMES: Mapping[type[SpecModel], tuple[str, ...]] = {
    Port: ("port",),
    Storage: ("name",),
    Env: ("name",),
    Probe: ("type",),
    Init: ("name",),
    Sidecar: ("name",),
    Rbac: ("service_account", "role_name", "binding_name"),
    Rule: (),
}
"""Which fields name an item of a list."""
LOOKS: Mapping[type[SpecModel], tuple[str, ...]] = {
    Init: ("properties",),
    Sidecar: ("image", "command"),
    Rule: ("api_groups", "resources", "verbs"),
}
"""By what an item without a name is recognised, or else by its place in a list that is as long as it was."""
_HANDLERS = ("exec", "http_get", "tcp_socket", "grpc")


def with_what_is_stored(application: Application, stored: Mapping[str, Component]) -> Application:
    """The application, as a draft of it was sent, with what the draft leaves out of the ``stored`` components.

    Masked secrets get the stored values. Components of other names stay as they were sent.
    """
    components = [
        _component(sent, stored[sent.name], application.namespace) if sent.name in stored else sent
        for sent in application.component
    ]
    return application.model_copy(update={"component": components})


def _component(sent: Component, stored: Component, namespace: str) -> Component:
    if sent.template is not None:  # it is cloned anew; only what its secrets are is known already
        return with_values(sent, values_in(stored))
    merged = _merged(sent, stored)
    update: dict[str, object] = {}
    if "properties" in sent.model_fields_set:
        shown = SHOWN_PROPERTIES.get(sent.type, SHOWN[Properties])
        update["properties"] = _merged(sent.properties, stored.properties, shown)
    if sent.replicas == 1 and stored.replicas == 0:  # the console has no other word for none
        update["replicas"] = 0
    if sent.namespace == namespace and not stored.namespace:  # replies name the one that it is in
        update["namespace"] = ""
    return with_values(merged.model_copy(update=update), values_in(stored))


def _merged(sent: M, stored: M, shown: frozenset[str] | None = None) -> M:
    """``sent``, with the fields of ``stored`` that it leaves out and that are not ``shown``."""
    if isinstance(sent, ValueFrom) and not sent.model_fields_set:
        return stored
    if type(sent) not in SHOWN:
        return sent
    shown = SHOWN[type(sent)] if shown is None else shown
    if isinstance(sent, Probe) and any(getattr(sent, name) is not None for name in _HANDLERS):
        shown = shown.union(_HANDLERS)  # a probe has one handler: the one that is sent replaces another
    update: dict[str, object] = {}
    for name in type(sent).model_fields:
        if name in sent.model_fields_set:
            update[name] = _value(getattr(sent, name), getattr(stored, name))
        elif name not in shown:
            update[name] = getattr(stored, name)
    return sent.model_copy(update=update)


def _value(sent: object, stored: object) -> object:
    if isinstance(sent, SpecModel) and type(sent) is type(stored):
        return _merged(sent, stored)
    if isinstance(sent, list) and isinstance(stored, list):
        named = [item for item in stored if type(item) in NAMES]
        return list(_items(sent, named)) if named else sent
    return sent


def _items(sent: Sequence[SpecModel], stored: Sequence[SpecModel]) -> Iterator[SpecModel]:
    places: dict[str, list[int]] = {}
    for place in reversed(range(len(stored))):
        places.setdefault(_identity(stored[place]), []).append(place)
    found = [free.pop() if (free := places.get(_identity(item))) else None for item in sent]
    taken = set(found)
    for place, item in enumerate(sent):
        mine = found[place]
        if (
            mine is None
            and len(sent) == len(stored)
            and place not in taken
            and not (_name(item) or _name(stored[place]))
        ):
            mine = place
        yield item if mine is None else _merged(item, stored[mine])


def _identity(item: SpecModel) -> str:
    """Two items are the same one if this text is the same."""
    texts = _name(item) or [getattr(item, field) for field in LOOKS.get(type(item), ())]
    return repr((bool(_name(item)), texts))


def _name(item: SpecModel) -> list[str]:
    texts = [getattr(item, field) for field in NAMES[type(item)]]
    return texts if any(texts) else []
