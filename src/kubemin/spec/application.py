# ruff: noqa: RUF012  (Pydantic copies defaults)
"""Applications: what a user writes, read and checked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from kubemin.spec import names
from kubemin.spec.characters import has_unseen_in_prose
from kubemin.spec.check_context import CheckContext, Known
from kubemin.spec.component import Component
from kubemin.spec.component_checks import check_component
from kubemin.spec.component_objects import made_by
from kubemin.spec.component_types import BESIDE, SECRET
from kubemin.spec.expressions import resolved
from kubemin.spec.ids import application_id
from kubemin.spec.issues import Issue, IssueCode, SpecError, first
from kubemin.spec.limits import Limits
from kubemin.spec.manifests import accounts_in, namespaces_in, scopes, without_last_applied
from kubemin.spec.model import Flag, SpecModel, Text
from kubemin.spec.objects import ObjectRef
from kubemin.spec.privileges import check_namespace
from kubemin.spec.reading import read, refuse_bulk, relevant
from kubemin.spec.reads import check_order
from kubemin.spec.states import Way
from kubemin.spec.strategy import StrategySpec, check_strategy
from kubemin.spec.text import Bounds, ParseError, parse
from kubemin.spec.unread_manifests import MAX_MANIFEST_DEPTH, MAX_MANIFEST_VALUES, without_manifests
from kubemin.spec.workflow import Step, check_workflow, default_workflow, refuse_too_many

MAX_COMPONENT = 1024 * 1024
"""Bytes of one component as JSON, without its data, which has a limit of its own: etcd takes objects of 1.5 MiB."""
_MAX_TEXT = {"alias": 255, "version": 255, "project": 255, "description": 4096, "icon": 65536}


class Application(SpecModel):
    """Components that belong together, in a namespace, and the order in which they are deployed."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    id: Text | None = Field(
        None,
        description="of an existing application: it is saved, not created. Follows from cluster, namespace, name",
    )
    name: Annotated[Text, AfterValidator(str.lower)] = ""
    namespace: Text = names.DEFAULT_NAMESPACE
    cluster: Text = Field(names.DEFAULT_CLUSTER, description="one of those that the server knows")
    alias: Text | None = None
    version: Text | None = None
    project: Text | None = None
    description: Text | None = None
    icon: Text | None = None
    tmp_enable: Flag = Field(False, description="may be used as a template")
    component: list[Component] = []
    workflow: list[Step] | None = None

    @property
    def app_id(self) -> str:
        """Its id, which follows from its cluster, namespace and name."""
        return application_id(self.namespace, self.name, self.cluster)

    def namespace_of(self, component: Component) -> str:
        """The namespace that a component is deployed to."""
        return component.namespace or self.namespace

    def main_name(self, component: Component) -> str:
        """What a component's objects are called, before it is cut to what their kinds allow."""
        return component.main_name(self.name)

    def referred(self, kind: str, namespace: str, name: str) -> str | None:
        """What a reference to ``name`` means where it names a component there that makes one object of the kind."""
        for part in self.component:
            if part.name == name and self.namespace_of(part) == namespace:
                return part.object_of(kind, self.name)
        return None

    @property
    def manifests(self) -> list[Any]:
        """The objects that components of the type ``manifests`` bring."""
        return [one for part in self.component for one in part.properties.manifests]

    def steps(self) -> list[Step]:
        """The workflow; where none is given, one DAG step with every component."""
        return self.workflow or default_workflow([component.name for component in self.component])


Expand = Callable[[Application], Application]
Complete = Callable[[Application], Application]


def parse_application(
    data: object, limits: Limits | None = None, expand: Expand | None = None, complete: Complete | None = None
) -> Application:
    """Read and check an application, as JSON or YAML gives it. This is all that `try`, create and save check.

    ``expand`` puts clones in the place of template entries (``templates.expand_templates``); without it such entries
    are refused. Clones are checked as if they had been written: issues then name the places of the expanded list.
    ``complete`` adds what a draft leaves out (``draft_merge``), before anything is checked.

    Raises:
        SpecError: with everything that is wrong, at once; after so many mistakes as are reported, it stops.
    """
    limits = limits or Limits()
    _refuse_too_much(data, limits)
    rest, manifests = without_manifests(data)
    refuse_bulk(rest)
    refuse_bulk(manifests, values=MAX_MANIFEST_VALUES, depth=MAX_MANIFEST_DEPTH)
    application, issues, broken = read(Application, data)
    if application is not None:
        application, unread = _with_documents(application)
        issues += unread
        application = application if complete is None else complete(application)
        found = relevant(check_application(application, limits), broken)
        issues = first(chain(issues, found, _refuse_templates(application) if expand is None else ()))
    if issues or application is None:
        raise SpecError(issues)
    return application if expand is None else _expanded(application, limits, expand)


def _expanded(application: Application, limits: Limits, expand: Expand) -> Application:
    expanded = expand(application)
    if expanded is not application:
        _refuse_too_much({"component": expanded.component}, limits)
        if issues := first(check_application(expanded, limits)):
            raise SpecError(issues)
    return expanded


def as_run(
    application: Application, strategy: StrategySpec | None, limits: Limits, *, plain: bool = False
) -> Application:
    """The application with the strategies that a run of it goes by; checked.

    ``strategy`` is the run's: each component that can have it has it, with the details of its own, if the run names
    none. Without one, and ``plain``, nothing of the new version comes beside the old one. Raises `SpecError`.
    """
    if strategy is None and not plain:
        return application
    if strategy is not None and (issues := first(check_strategy(strategy, "strategy"))):
        raise SpecError(issues)
    parts = [_as_run(part, strategy) for part in application.component]
    if strategy is not None and not any(part.can(strategy.way) for part in parts):
        message = f"No component of the application can have the strategy {strategy.way}."
        raise SpecError([Issue("strategy", IssueCode.INVALID_FIELD_VALUE, message)])
    changed = application.model_copy(update={"component": parts})
    if strategy is not None and (issues := first(check_application(changed, limits))):
        raise SpecError(issues)
    return changed


def way_of(parts: Iterable[Component]) -> Way:
    """How a run of these components replaces Pods: as the first of them says that does not roll."""
    return next((part.way for part in parts if part.way is not Way.ROLLING), Way.ROLLING)


def _as_run(part: Component, strategy: StrategySpec | None) -> Component:
    own = part.strategy
    if strategy is None:
        return part.model_copy(update={"strategy": None}) if part.way in BESIDE else part
    if not part.can(strategy.way) or (strategy.only_named and own is not None and own.way is strategy.way):
        return part
    return part.model_copy(update={"strategy": strategy})


def _with_documents(application: Application) -> tuple[Application, list[Issue]]:
    """The application with its manifests as they are kept, YAML text read as such; and what of that is no YAML."""
    issues: list[Issue] = []
    parts: list[Component] = []
    bounds = Bounds()
    for index, part in enumerate(application.component):
        properties, documents = part.properties, []
        try:
            documents = parse(properties.yaml, bounds=bounds) if properties.yaml else []
        except ParseError as error:
            message = f'Component "{part.name}": its YAML cannot be read: {error}.'
            issues.append(Issue(f"component[{index}].properties.yaml", IssueCode.INVALID_FIELD_VALUE, message))
        if properties.yaml or properties.manifests:
            read_as = {"yaml": "", "manifests": without_last_applied([*properties.manifests, *documents])}
            part = part.model_copy(update={"properties": properties.model_copy(update=read_as)})
        parts.append(part)
    return application.model_copy(update={"component": parts}), issues


def _refuse_templates(application: Application) -> Iterator[Issue]:
    for index, component in enumerate(application.component):
        if component.template is not None:
            message = f'Component "{component.name}" clones a template, which cannot be looked up here.'
            yield Issue(f"component[{index}].template", IssueCode.TEMPLATE_NOT_FOUND, message)


def _refuse_too_much(data: object, limits: Limits) -> None:
    if not isinstance(data, dict):
        return
    components = data.get("component")
    if isinstance(components, list) and len(components) > limits.max_components:
        message = f"The application has {len(components)} components; at most {limits.max_components} are allowed."
        raise SpecError([Issue("component", IssueCode.TOO_MANY_COMPONENTS, message)])
    refuse_too_many(data.get("workflow"), limits)


def check_application(application: Application, limits: Limits) -> Iterator[Issue]:
    """What is wrong with an application whose shape is right."""
    yield from _check_name(application.name)
    if not names.is_label(application.namespace):
        yield Issue(
            "namespace",
            IssueCode.INVALID_NAME_FORMAT,
            f'"{application.namespace}" cannot name a namespace: use lower-case letters, digits and "-", at most 63.',
        )
    else:
        yield from check_namespace(application.namespace, limits, "namespace")
    yield from _check_cluster(application.cluster, limits)
    if application.name and application.id not in (None, application.app_id):
        whose = names.shown(application.cluster, application.namespace, application.name)
        message = f'The id of application {whose} is "{application.app_id}": leave the id out, or give this one.'
        yield Issue("id", IssueCode.INVALID_FIELD_VALUE, message)
    yield from _check_texts(application)
    meant, issues = resolved(application)
    if not any(part.template for part in application.component):  # else what is named may be a clone, made later
        yield from issues
    yield from _check_components(meant, limits)
    if application.workflow is not None:
        known = [component.name for component in application.component]
        yield from check_workflow(application.workflow, known, "workflow")
        yield from check_order(application, application.workflow, "workflow")


def _check_cluster(cluster: str, limits: Limits) -> Iterator[Issue]:
    if not names.is_label(cluster):
        yield Issue(
            "cluster",
            IssueCode.INVALID_NAME_FORMAT,
            f'"{cluster}" cannot name a cluster: use lower-case letters, digits and "-", at most 63.',
        )
    elif limits.clusters is not None and cluster not in limits.clusters:
        known = ", ".join(sorted(limits.clusters))
        yield Issue(
            "cluster", IssueCode.INVALID_FIELD_VALUE, f'The server knows no cluster "{cluster}"; it knows: {known}.'
        )


def _check_texts(application: Application) -> Iterator[Issue]:
    for field, longest in _MAX_TEXT.items():
        text = getattr(application, field) or ""
        if len(text) > longest:
            yield Issue(field, IssueCode.INVALID_FIELD_VALUE, f"The {field} is longer than {longest} characters.")
        if has_unseen_in_prose(text):
            message = f"The {field} has control characters, or such as change the direction of writing."
            yield Issue(field, IssueCode.INVALID_FIELD_VALUE, message)


def _check_name(name: str) -> Iterator[Issue]:
    if not name:
        yield Issue("name", IssueCode.MISSING_REQUIRED_FIELD, "The application has no name.")
    elif len(name) < 2:
        yield Issue("name", IssueCode.NAME_TOO_SHORT, f'The application name "{name}" is shorter than 2 characters.')
    elif len(name) > names.LABEL_LENGTH:
        yield Issue(
            "name", IssueCode.NAME_TOO_LONG, f'The application name "{name[:80]}" is longer than 63 characters.'
        )
    elif not names.is_label(name):
        yield Issue(
            "name",
            IssueCode.INVALID_NAME_FORMAT,
            f'"{name}" cannot name an application: use lower-case letters, digits and "-", '
            "with a letter or digit at both ends.",
        )


def context_of(
    application: Application,
    component: Component,
    limits: Limits,
    ports: Mapping[str, tuple[int, ...]],
    defined: Mapping[str, bool],
    known: Known | None = None,
) -> CheckContext:
    """What the checks of a component may look at.

    ``ports`` are those of each component that has a Service; ``defined`` and ``known`` as in `CheckContext`.
    """
    return CheckContext(
        limits,
        ports,
        component.name,
        component.type,
        application.namespace_of(component),
        application.namespace,
        application.main_name(component),
        defined,
        known or Known(),
    )


def _known(application: Application, defined: Mapping[str, bool]) -> Known:
    accounts: set[ObjectRef] = set()
    owners: set[tuple[str, str]] = set()
    types: dict[tuple[str, str], str] = {}
    for part in application.component:
        namespace, main = application.namespace_of(part), application.main_name(part)
        accounts |= {ObjectRef("ServiceAccount", namespace, entry.account(main)) for entry in part.traits.rbac}
        accounts |= accounts_in(part.properties.manifests, namespace, defined)
        if part.traits.rbac:
            owners.add((namespace, part.name))
        if part.type == SECRET:
            types[namespace, part.name] = part.secret_type
    return Known(accounts, namespaces_in(application.manifests), owners, types)


def _check_components(application: Application, limits: Limits) -> Iterator[Issue]:
    ports = {c.name: c.port_numbers if c.has_service else () for c in application.component}
    defined = scopes(application.manifests)
    known = _known(application, defined)
    places: dict[str, int] = {}
    made: dict[ObjectRef, tuple[str, str]] = {}
    for index, component in enumerate(application.component):
        path = f"component[{index}]"
        context = context_of(application, component, limits, ports, defined, known)
        yield from check_component(component, context, path)
        if _size(component) > MAX_COMPONENT:
            yield Issue(
                path, IssueCode.INVALID_FIELD_VALUE, f'Component "{component.name}" is too large for Kubernetes.'
            )
        if component.name and component.name in places:
            yield Issue(
                f"{path}.name",
                IssueCode.DUPLICATE_COMPONENT,
                f'component[{places[component.name]}] and {path} are both named "{component.name}".',
            )
            continue
        places[component.name] = index
        for item in made_by(component, context, path):
            if item.ref in made:
                other, field = made[item.ref]
                yield Issue(
                    item.field,
                    IssueCode.DUPLICATE_OBJECT,
                    f'Components "{other}" ({field}) and "{component.name}" ({item.field}) would both make '
                    f"the {item.ref.kind} {item.ref.name}; give one of them another name, or an objectName.",
                )
            else:
                made[item.ref] = (component.name, item.field)


def _size(component: Component) -> int:
    data = {"properties": {"conf", "secret", "manifests"}}
    return len(component.model_dump_json(by_alias=True, exclude_none=True, exclude=data).encode())


def dump_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps as JSON that ``parse_workflow`` takes again."""
    return [step.dump() for step in steps]
