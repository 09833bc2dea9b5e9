"""``kubemin plan --server``: what a run would do, asked of the cluster."""

from collections.abc import Mapping
from typing import Any

from kubemin.cli.client import Client
from kubemin.cli.exits import Exit
from kubemin.cli.files import load_application
from kubemin.cli.output import print_json, say

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


def show(file: str, asked: Mapping[str, bool | None], *, as_json: bool, server: str, token: str | None) -> int:
    """Print each stage with what it would create, change and leave; 1 when something of it would be refused.

    ``asked``: options of a run, those that are not None.
    """
    spec = load_application(file)
    given = {name: value for name, value in asked.items() if value is not None}
    with Client(server, token) as client:
        found = client.post("/apply", {"application": spec, "dryRun": True, **given})
    return report(found, as_json=as_json)


def report(found: dict[str, Any], *, as_json: bool) -> int:
    """Print what a run would do; 1 when something of it would be refused."""
    counts = _counts(found)
    if as_json:
        print_json(found)
    else:
        for line in _lines(found):
            say(line)
        say(_sum(counts, found))
    return Exit.FAILED if counts.get("refused") else Exit.OK


def _lines(preview: dict[str, Any]) -> list[str]:
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


def _name(one: dict[str, Any]) -> str:
    return "/".join(part for part in (one["kind"], one["namespace"], one["name"]) if part)


def _counts(preview: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for stage in preview["stages"]:
        for job in stage["jobs"]:
            counts[job["action"]] = counts.get(job["action"], 0) + 1
    return counts


def _sum(counts: dict[str, int], preview: dict[str, Any]) -> str:
    parts = [f"{counts[action]} {spoken_}" for action, spoken_ in _SPOKEN.items() if action in counts]
    later = {"removes": "to delete", "releases": "to release", "passes": "to pass on", "keeps": "kept with data"}
    parts += [f"{len(preview[field])} {spoken_}" for field, spoken_ in later.items() if preview.get(field)]
    return ", ".join(parts) or "nothing to deploy"
