"""``apply --dry-run`` and ``plan --server``: what a run would do, asked of the cluster."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubemin.cli.by_code import hold
from kubemin.cli.exits import Exit
from kubemin.cli.files import Spec
from kubemin.cli.language import key, tr
from kubemin.cli.mistakes import mistakes_in
from kubemin.cli.output import Output, say
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.replies import Preview

_SIGNS = {"create": "+", "change": "~", "same": "=", "adopt": "@", "write": "?", "skip": " ", "refused": "!"}
_SPOKEN = {
    "create": key("{count} to create"),
    "change": key("{count} to change"),
    "same": key("{count} unchanged"),
    "adopt": key("{count} to adopt"),
    "write": key("{count} not foreseen"),
    "skip": key("{count} left as it is"),
    "refused": key("{count} refused"),
}
_CHANGES = ("create", "change", "adopt", "write")
_LATER = {
    "removes": key("{count} to delete"),
    "releases": key("{count} to release"),
    "passes": key("{count} to pass on"),
    "keeps": key("{count} kept with data"),
}


_STAYING = {
    "releases": key("released: it stays, without KubeMin's labels"),
    "passes": key("passes to another application, which uses it"),
    "keeps": key("kept: holds data"),
}


def previews(client: Client, specs: Sequence[Spec], options: dict[str, Any]) -> "list[Preview]":
    """What the run of each application would do, as the server tells it."""
    return [_preview(client, spec, options) for spec in specs]


def _preview(client: Client, spec: Spec, options: dict[str, Any]) -> "Preview":
    with mistakes_in(spec):
        return client.preview(spec.data, **options)


def report(names: Sequence[str], found: "Sequence[Preview]", output: Output, *, exit_of_changes: Exit) -> int:
    """Print each stage with what it would create, change and leave; with ``-q`` only how many of each.

    1 when something of it would be refused, else ``exit_of_changes`` when it would change something.
    """
    several = [{"application": name, **one} for name, one in zip(names, found, strict=True)]
    touched = [_name(job) for one in found for stage in one["stages"] for job in stage["jobs"]]
    if not output.printed(found[0] if len(found) == 1 else {"applications": several}, touched):
        for name, one in zip(names, found, strict=True):
            if len(found) > 1:
                say(tr("application {name}", name=name))
            for line in _lines(one):
                output.tell(line)
            say(_sum(_counts(one), one))
    if any(_counts(one).get("refused") for one in found):
        return Exit.FAILED
    return exit_of_changes if any(map(changes, found)) else Exit.OK


def changes(preview: "Preview") -> bool:
    """Whether the run would change anything in the cluster."""
    gone = any(preview[field] for field in ("creates", "removes", "releases", "passes"))
    return gone or any(_counts(preview).get(action) for action in _CHANGES)


def _lines(preview: "Preview") -> list[str]:
    lines = [f"{tr('first')}\n  + {_name(one)}" for one in preview["creates"]]
    for number, stage in enumerate(preview["stages"], 1):
        head = tr("stage {number}: {step}", number=number, step=stage["step"])
        lines.append(
            tr("{stage} ({mode}), priority {priority}", stage=head, mode=stage["mode"], priority=stage["priority"])
        )
        for job in stage["jobs"]:
            hook = f"  [{job['hook']}]" if "hook" in job else ""
            lines.append(f"  {_SIGNS[job['action']]} {job['component']}: {_name(job)}  {job['action']}{hook}")
            lines += [f"      {line}" for change in job["changes"] for line in change.splitlines()]
            lines += [f"      {tr('warning: {what}', what=line)}" for line in job.get("warnings", ())]
        lines += [f"    {hold(stage['hold'])}"] if "hold" in stage else []
    leaving = [f"  - {_name(one)}" for one in preview["removes"]]
    whole: Mapping[str, Any] = preview
    for field, said in _STAYING.items():
        leaving += [f"    {_name(one)}  {tr(said)}" for one in whole.get(field, [])]
    lines += [tr("once completed"), *leaving] if leaving else []
    return lines


def _name(one: Mapping[str, Any]) -> str:
    return "/".join(part for part in (one["kind"], one["namespace"], one["name"]) if part)


def _counts(preview: "Preview") -> dict[str, int]:
    counts: dict[str, int] = {}
    for stage in preview["stages"]:
        for job in stage["jobs"]:
            counts[job["action"]] = counts.get(job["action"], 0) + 1
    return counts


def _sum(counts: dict[str, int], preview: Mapping[str, Any]) -> str:
    parts = [tr(said, count=counts[action]) for action, said in _SPOKEN.items() if action in counts]
    parts += [tr(said, count=len(preview[field])) for field, said in _LATER.items() if preview.get(field)]
    return tr(", ").join(parts) or tr("nothing to deploy")
