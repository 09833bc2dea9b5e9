"""The ``expose`` trait: the same hosts and paths by an Ingress, or by a route of the Gateway API."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel, Text, Whole
from kubemin.spec.names import is_label, is_subdomain, object_name
from kubemin.spec.objects import ObjectRef
from kubemin.spec.traits.ingress import Tls, check_host, check_path, check_tls
from kubemin.spec.values import check_annotations

INGRESS, GATEWAY = "ingress", "gateway"
HTTP_ROUTE = "HTTPRoute.gateway.networking.k8s.io"
PATH_TYPES = ("Prefix", "Exact")
MOST = 16
"""So many hosts, and so many rules, an HTTPRoute may have."""


def _in_full(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class ExposedPath(SpecModel):
    """Requests for a path; a text is short for ``path``."""

    path: Text = Field(default="/", description="the path of a request")
    path_type: Text = Field(default="Prefix", description=", ".join(PATH_TYPES))
    port: Whole | None = Field(default=None, description="a port of the component; default: that of the trait")


class ParentRef(SpecModel):
    """A Gateway that is to serve the route."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = Field(default="", description="the Gateway")
    namespace: Text | None = Field(default=None, description="where it is; default: the component's namespace")
    section_name: Text | None = Field(default=None, description="one of its listeners; default: each that fits")
    port: Whole | None = Field(default=None, description="its listeners of this port; default: each that fits")


class Expose(SpecModel):
    """Where the component is reached from outside, at hosts and paths that do not depend on how."""

    model_config = ConfigDict(json_schema_extra={"required": ["via"]})

    via: Text = Field(default="", description=f"{INGRESS}, {GATEWAY}")
    hosts: list[Text] = Field(default=[], description="at these; none: at each")
    paths: list[Annotated[ExposedPath, BeforeValidator(_in_full, json_schema_input_type=ExposedPath | str)]] = Field(
        default=[], description="at these; none: at each"
    )
    port: Whole | None = Field(default=None, description="a port of the component; default: its first")
    annotations: dict[Text, Text] = Field(default={}, description="of the Ingress or route")
    class_name: Text | None = Field(default=None, description="of an ingress: its class; default: the cluster's")
    tls: list[Tls] = Field(default=[], description="of an ingress: certificates; without hosts for all of the trait")
    parent_refs: list[ParentRef] = Field(default=[], description="of a gateway, required: the Gateways")

    @property
    def kind(self) -> str:
        """The kind of its object."""
        return HTTP_ROUTE if self.via == GATEWAY else "Ingress"

    @property
    def all_paths(self) -> Sequence[ExposedPath]:
        """Those that are meant."""
        return self.paths or [ExposedPath()]

    def object_name(self, main: str) -> str:
        """Name of its object, of a component with this main name."""
        return object_name(self.kind, main)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same with new names of the components that its certificates are of, where ``names`` has one."""
        named = [(one, names.get(one.secret_name or "", one.secret_name)) for one in self.tls]
        return self.model_copy(update={"tls": [one.model_copy(update={"secret_name": name}) for one, name in named]})


def check(expose: Expose, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``expose``."""
    what = f'The trait expose of component "{context.component}"'
    if expose.via not in (INGRESS, GATEWAY):
        given = f'is via "{expose.via[:80]}"' if expose.via else "does not say via what"
        code = IssueCode.INVALID_TRAIT_CONFIG if expose.via else IssueCode.MISSING_REQUIRED_FIELD
        yield Issue.of_word(f"{path}.via", code, f"{what} {given}", expose.via, (INGRESS, GATEWAY))
    for index, host in enumerate(expose.hosts):
        yield from check_host(host, what, f"{path}.hosts[{index}]")
    for index, one in enumerate(expose.paths):
        here = f"{path}.paths[{index}]"
        yield from check_path(one.path, what, f"{here}.path")
        if one.path_type not in PATH_TYPES:
            code, sentence = IssueCode.INVALID_TRAIT_CONFIG, f'{what}: "{one.path_type[:80]}" is no path type'
            yield Issue.of_word(f"{here}.pathType", code, sentence, one.path_type, PATH_TYPES)
        yield from _check_port(one.port, context, what, f"{here}.port")
    if not context.components.get(context.component):
        message = f"{what}: the component has no ports, and so no Service that requests could go to."
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, message)
    yield from _check_port(expose.port, context, what, f"{path}.port")
    yield from check_annotations(expose.annotations, context, what, f"{path}.annotations")
    if expose.via == INGRESS:
        yield from _check_ingress(expose, what, path)
    elif expose.via == GATEWAY:
        yield from _check_route(expose, what, path)


def _check_port(port: int | None, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    ports = context.components.get(context.component, ())
    if port is not None and ports and port not in ports:
        message = f"{what}: the component has no port {port}; it has {', '.join(map(str, ports))}."
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, message)


def _check_ingress(expose: Expose, what: str, path: str) -> Iterator[Issue]:
    if expose.parent_refs:
        message = f"{what} is via an Ingress, which has no parentRefs."
        yield Issue(f"{path}.parentRefs", IssueCode.INVALID_TRAIT_CONFIG, message)
    if expose.class_name and not is_subdomain(expose.class_name):
        message = f'{what}: "{expose.class_name[:80]}" cannot name an Ingress class.'
        yield Issue(f"{path}.className", IssueCode.INVALID_NAME_FORMAT, message)
    for index, tls in enumerate(expose.tls):
        yield from check_tls(tls, what, f"{path}.tls[{index}]")


def _check_route(expose: Expose, what: str, path: str) -> Iterator[Issue]:
    for field, alias, why in (
        ("class_name", "className", "the Gateways are named by parentRefs"),
        ("tls", "tls", "certificates are those of the Gateway's listeners"),
    ):
        if getattr(expose, field):
            message = f"{what} is via a gateway, and has no {alias}: {why}."
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_TRAIT_CONFIG, message)
    if not expose.parent_refs:
        message = f"{what} is via a gateway, and needs parentRefs: the Gateways that are to serve it."
        yield Issue(f"{path}.parentRefs", IssueCode.MISSING_REQUIRED_FIELD, message)
    for alias, items in (("hosts", expose.hosts), ("paths", expose.paths)):
        if len(items) > MOST:
            message = f"{what} has {len(items)} {alias}; a route has {MOST} at most."
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_TRAIT_CONFIG, message)
    for index, parent in enumerate(expose.parent_refs):
        here = f"{path}.parentRefs[{index}]"
        if not parent.name:
            yield Issue(f"{here}.name", IssueCode.MISSING_REQUIRED_FIELD, f"{what} names a parent without its name.")
        named = (("name", parent.name), ("namespace", parent.namespace), ("sectionName", parent.section_name))
        for field, name in named:
            fits = is_label if field == "namespace" else is_subdomain
            if name and not fits(name):
                message = f'{what}: "{name[:80]}" cannot be the {field} of a parent.'
                yield Issue(f"{here}.{field}", IssueCode.INVALID_NAME_FORMAT, message)
        if parent.port is not None and not 1 <= parent.port <= 65535:
            message = f"{what}: the port of a parent is between 1 and 65535."
            yield Issue(f"{here}.port", IssueCode.INVALID_TRAIT_CONFIG, message)


def made(expose: Expose, context: CheckContext, path: str) -> Iterator[Made]:
    """The one object."""
    yield Made(ObjectRef(expose.kind, context.namespace, expose.object_name(context.main)), path)
