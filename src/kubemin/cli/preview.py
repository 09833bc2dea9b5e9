"""``apply --dry-run`` and ``plan --server``: what a run would do, asked of the cluster."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubemin.cli.exits import Exit
from kubemin.cli.files import Spec
from kubemin.cli.output import Output, say
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.replies import Preview

_SIGNS = {"create": "+", "change": "~", "same": "=", "adopt": "@", "write": "?", "skip": " ", "refused": "!"}
_SPOKEN = {
    "create": "to create",
    "change": "to change",
    "same": "unchanged",
    "adopt": "to adopt",
    "write": "not foreseen",
    "skip": "left as it is",
    "refused": "refused",
}
_CHANGES = ("create", "change", "adopt", "write")
_LATER = {"removes": "to delete", "releases": "to release", "passes": "to pass on", "keeps": "kept with data"}


def previews(client: Client, specs: Sequence[Spec], options: dict[str, Any]) -> "list[Preview]":
    """What the run of each application would do, as the server tells it."""
    return [client.preview(spec.data, **options) for spec in specs]


def report(names: Sequence[str], found: "Sequence[Preview]", output: Output, *, exit_of_changes: Exit) -> int:
    """Print each stage with what it would create, change and leave; with ``-q`` only how many of each.

    1 when something of it would be refused, else ``exit_of_changes`` when it would change something.
    """
    several = [{"application": name, **one} for name, one in zip(names, found, strict=True)]
    touched = [_name(job) for one in found for stage in one["stages"] for job in stage["jobs"]]
    if not output.printed(found[0] if len(found) == 1 else {"applications": several}, touched):
        for name, one in zip(names, found, strict=True):
            if len(found) > 1:
                say(f"application {name}")
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
    lines = [f"first\n  + {_name(one)}" for one in preview["creates"]]
    for number, stage in enumerate(preview["stages"], 1):
        lines.append(f"stage {number}: {stage['step']} ({stage['mode']}), priority {stage['priority']}")
        for job in stage["jobs"]:
            lines.append(f"  {_SIGNS[job['action']]} {job['component']}: {_name(job)}  {job['action']}")
            lines += [f"      {line}" for change in job["changes"] for line in change.splitlines()]
            lines += [f"      warning: {line}" for line in job.get("warnings", ())]
        lines += [f"    {stage['hold']}"] if "hold" in stage else []
    leaving = [f"  - {_name(one)}" for one in preview["removes"]]
    leaving += [
        f"    {_name(one)}  released: it stays, without KubeMin's labels" for one in preview.get("releases", [])
    ]
    leaving += [f"    {_name(one)}  passes to another application, which uses it" for one in preview.get("passes", [])]
    leaving += [f"    {_name(one)}  kept: holds data" for one in preview.get("keeps", [])]
    lines += ["once completed", *leaving] if leaving else []
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
    parts = [f"{counts[action]} {spoken_}" for action, spoken_ in _SPOKEN.items() if action in counts]
    parts += [f"{len(preview[field])} {spoken_}" for field, spoken_ in _LATER.items() if preview.get(field)]
    return ", ".join(parts) or "nothing to deploy"
