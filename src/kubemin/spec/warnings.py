"""Warnings: what an application says that is allowed, and probably not meant; and those in what is said of a job, a
line each, after all else. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kubemin.spec.application import Application
from kubemin.spec.issues import Issue, WarningCode, first
from kubemin.spec.likely_mistakes import Outside, likely_mistakes, outside
from kubemin.spec.manifests import flattened, left_out_in
from kubemin.spec.objects import Manifest
from kubemin.spec.order import PLAIN, RUN, TESTS, hook_names
from kubemin.spec.scaling import scaling_warnings
from kubemin.spec.workflow import Step, components_in_no_step

_MARK = "warning: "
_MOST = 20


def with_warnings(text: str, warnings: Sequence[str]) -> str:
    """The text, then a line for each warning; of very many the first."""
    lines = [f"{_MARK}{' '.join(one.split())}" for one in warnings[:_MOST]]  # others choose names in them
    if len(warnings) > _MOST:
        lines.append(f"{_MARK}and {len(warnings) - _MOST} more of these")
    return "\n".join([*([text] if text else []), *lines])


def warnings_in(text: str) -> list[str]:
    """The warnings that `with_warnings` put into a text."""
    return [line.removeprefix(_MARK) for line in text.splitlines() if line.startswith(_MARK)]


def warnings_of(application: Application, absent: Iterable[Outside] | None = None) -> list[Issue]:
    """What is allowed, and probably not meant.

    ``absent``: what of `outside` the cluster has not; None where it was not asked.
    """
    places = {component.name: place for place, component in enumerate(application.component)}
    found = [
        Issue(f"component[{places[issue.field]}]", issue.code, issue.message)
        for issue in workflow_warnings(application.steps(), places)
    ]
    for place, component in enumerate(application.component):
        found += _of_hooks(component.properties.manifests, f"component[{place}].properties.manifests")
        found += scaling_warnings(component, f"component[{place}]")
    found += [one.issue for one in (outside(application) if absent is None else absent)]
    return first([*found, *likely_mistakes(application)])


def _of_hooks(manifests: Sequence[Any], path: str) -> Iterator[Issue]:
    for here, one in left_out_in(manifests, path):
        names = hook_names(one)
        what = "a test" if TESTS.issuperset(names) else f"a hook ({', '.join(names)[:80]})"
        never = "" if TESTS.issuperset(names) else ", as nothing is run at a removal or a rollback"
        yield Issue(here, WarningCode.HELM_HOOK, f"{_named(one)} is {what} of its Helm chart: it is left out{never}.")
    for here, one in flattened(manifests, path):
        names = hook_names(one)
        if not_run := [name for name in names if name not in (*RUN, PLAIN)]:
            message = f"{_named(one)} is a hook of its Helm chart that is not run as {', '.join(not_run)[:80]}."
            yield Issue(here, WarningCode.HELM_HOOK, message)
        if twice := [on for on in ("install", "upgrade") if {f"pre-{on}", f"post-{on}"}.issubset(names)]:
            message = f"{_named(one)} is a hook before and after the same {twice[0]}: here it is run before it only."
            yield Issue(here, WarningCode.HELM_HOOK, message)


def _named(one: Manifest) -> str:
    return f"{one.get('kind')} {one['metadata'].get('name')}"


def workflow_warnings(steps: Sequence[Step], components: Iterable[str]) -> list[Issue]:
    """The same of a workflow over these components; the field is the component's name."""
    return [
        Issue(
            name,
            WarningCode.COMPONENT_IN_NO_STEP,
            f'No step of the workflow names component "{name}": a run leaves it as it is.',
        )
        for name in components_in_no_step(steps, components)
    ]
