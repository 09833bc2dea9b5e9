"""Templates: cloning the components of one application into another.

An entry ``{name, template: {id, target}}`` stands for the components of an application with ``tmpEnable``. The first
entry of a template makes the clones, named ``<name>`` if there is one and ``<name>-<component>`` if there are several.
Further entries of the same template make no more; they only override, each its ``target``. Of an entry, ``env`` and
``secret`` count: variables are merged over the template's, secret values must be given, as the template's are copied
only where the entry gives the mask that replies show.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from kubemin.spec.application import Application
from kubemin.spec.component import Component
from kubemin.spec.component_types import SECRET, WORKLOADS
from kubemin.spec.config import MASK
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.names import LABEL_LENGTH, shorten
from kubemin.spec.renaming import renamed
from kubemin.spec.workflow import Step, SubStep

S = TypeVar("S", Step, SubStep)

Lookup = Callable[[str], Application | None]
"""Gives the application of an id; None if there is none that the caller may use."""


@dataclass(slots=True)
class _Use:
    """One template with the entries that use it; ``names`` maps its components to their clones."""

    template: Application
    first: Component
    names: Mapping[str, str]
    entries: list[tuple[Component, str]] = field(default_factory=list)


def template_ids(data: object) -> set[str]:
    """Ids of the templates that unread input mentions, so that they can be loaded before it is read."""
    components = data.get("component") if isinstance(data, dict) else None
    found: set[str] = set()
    for component in components if isinstance(components, list) else ():
        template = component.get("template") if isinstance(component, dict) else None
        id_ = template.get("id") if isinstance(template, dict) else None
        if isinstance(id_, str) and id_:
            found.add(id_)
    return found


def expand_templates(application: Application, lookup: Lookup) -> Application:
    """The application with clones in the place of its template entries; the same one if it has none.

    Meant for ``parse_application``, which checks the result again: clones may clash with other components.

    Raises:
        SpecError: a template that does not exist or is none, an unknown target, secret values that are missing.
    """
    if not any(component.template for component in application.component):
        return application
    issues: list[Issue] = []
    uses = _uses(application, lookup, issues)
    components: list[Component] = []
    for component in application.component:
        if component.template is None:
            components.append(component)
        elif (use := uses.get(component.template.id)) and use.first is component:
            components.extend(_clones(use, issues))
    if issues:
        raise SpecError(issues)
    workflow = None if application.workflow is None else _expand_steps(application.workflow, uses)
    return application.model_copy(update={"component": components, "workflow": workflow})


def _uses(application: Application, lookup: Lookup, issues: list[Issue]) -> dict[str, _Use]:
    uses: dict[str, _Use] = {}
    refused: set[str] = set()
    for index, component in enumerate(application.component):
        if component.template is None:
            continue
        id_, path = component.template.id, f"component[{index}]"
        if id_ not in uses and id_ not in refused:
            template = lookup(id_)
            if template is None or not template.tmp_enable or any(part.template for part in template.component):
                message = f'Component "{component.name}" clones "{id_}", which is no application that allows it.'
                issues.append(Issue(f"{path}.template.id", IssueCode.TEMPLATE_NOT_FOUND, message))
                refused.add(id_)
                continue
            uses[id_] = _Use(template, component, _clone_names(component.name, template))
        if id_ in uses:
            uses[id_].entries.append((component, path))
            target = component.template.target
            if target and target not in uses[id_].names:
                message = f'Component "{component.name}" targets "{target}", which its template does not have.'
                issues.append(Issue(f"{path}.template.target", IssueCode.COMPONENT_NOT_FOUND, message))
    return uses


def _clone_names(name: str, template: Application) -> dict[str, str]:
    if len(template.component) == 1:
        return {template.component[0].name: name}
    return {part.name: shorten(f"{name}-{part.name}", LABEL_LENGTH) for part in template.component}


def _clones(use: _Use, issues: list[Issue]) -> Iterator[Component]:
    accounts = {entry.service_account for part in use.template.component for entry in part.traits.rbac}
    for part in use.template.component:
        clone = renamed(part, use.names, use.first.name, accounts).model_copy(update={"namespace": use.first.namespace})
        mine = [
            (entry, path) for entry, path in use.entries if entry.template and entry.template.target in ("", part.name)
        ]
        if part.type in WORKLOADS:
            clone = _with_env(clone, {name: value for entry, _ in mine for name, value in entry.properties.env.items()})
        if part.type == SECRET:
            secret = {"secret": _secret(part, use, mine, issues)}
            clone = clone.model_copy(update={"properties": clone.properties.model_copy(update=secret)})
        yield clone


def _with_env(clone: Component, env: Mapping[str, str]) -> Component:
    """The clone with variables merged over its own, wherever the template took those from."""
    merged = clone.properties.model_copy(update={"env": {**clone.properties.env, **env}})
    envs = [variable for variable in clone.traits.envs if variable.name not in env]
    return clone.model_copy(update={"properties": merged, "traits": clone.traits.model_copy(update={"envs": envs})})


def _secret(
    part: Component, use: _Use, entries: Sequence[tuple[Component, str]], issues: list[Issue]
) -> dict[str, str]:
    """The values that the entries give; a masked one is the template's own.

    Without a target, only those keys are meant that the template has.
    """
    wanted = part.properties.secret
    values: dict[str, str] = {}
    for entry, _ in entries:
        targeted = entry.template is not None and entry.template.target == part.name
        values.update({key: value for key, value in entry.properties.secret.items() if targeted or key in wanted})
    values = {key: wanted.get(key, value) if value == MASK else value for key, value in values.items()}
    missing = sorted(set(wanted) - set(values))
    if missing:
        path = entries[-1][1] if entries else use.entries[0][1]
        keys = ", ".join(missing)
        message = f'Secret "{part.name}" of the template is not copied: give its values for {keys}.'
        issues.append(Issue(f"{path}.properties.secret", IssueCode.MISSING_REQUIRED_FIELD, message))
    return values


def _expand_steps(steps: Sequence[Step], uses: Mapping[str, _Use]) -> list[Step]:
    """Steps that name the clones where they named an entry.

    An entry with a target means that clone; the first entry means all clones that no other entry in the workflow does.
    """
    named = {name for step in steps for part in (step, *step.sub_steps) for name in part.targets}
    clones: dict[str, list[str]] = {}
    for use in uses.values():
        taken: set[str] = set()
        for entry, _ in use.entries:
            if entry is not use.first:
                target = use.names[entry.template.target] if entry.template and entry.template.target else ""
                clones[entry.name] = [target] if target and target not in taken else []
                taken |= {target} if entry.name in named else set()
        clones[use.first.name] = [name for name in use.names.values() if name not in taken]
    expanded: list[Step] = []
    for step in steps:
        subs = [sub for sub in (_expand(sub, clones) for sub in step.sub_steps) if sub is not None]
        whole = _expand(step, clones)
        if whole is not None:
            expanded.append(whole.model_copy(update={"sub_steps": subs}))
    return expanded


def _expand(step: S, clones: Mapping[str, list[str]]) -> S | None:
    names = [clone for name in step.targets for clone in clones.get(name, [name])]
    stays = isinstance(step, Step) and (step.is_pause or bool(step.sub_steps))
    return step.model_copy(update={"components": names}) if names or stays else None
