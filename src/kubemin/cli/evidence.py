"""``kubemin logs``: the evidence of a task."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kubemin.cli.language import because, tr
from kubemin.cli.output import Output, say

if TYPE_CHECKING:
    from kubemin.client.replies import PodEvidence, TaskEvidence


def show(found: "TaskEvidence", output: Output) -> None:
    """Show what the Pods of components that were not ready said, as the server has it."""
    pods = [f"{one['name']}/{pod['name']}" for one in found["components"] for pod in one["pods"]]
    if output.printed(found, pods):
        return
    if not found["components"]:
        output.tell(tr("no evidence: the task did not fail, or had no Pods"))
    for component in found["components"]:
        if component["note"]:
            say(_indented(f"{component['name']}  ({component['note']})"))
        for pod in component["pods"]:
            for text in _pod(component["name"], pod):
                say(_indented(text))


def _pod(component: str, pod: "PodEvidence") -> Iterator[str]:
    state = pod["state"]
    yield f"{component}  Pod {pod['name']}  {state.get('phase', '')}"
    for one in state.get("conditions", []):
        if one.get("status") != "True":
            yield f"  {one.get('type')}: {one.get('reason', '')} {one.get('message', '')}".rstrip()
    for one in pod["events"]:
        times = f" ({tr('{count} times', count=one['count'])})" if one["count"] > 1 else ""
        yield f"  {tr('event')}  {one['reason']}: {one['message']}{times}"
    if pod["note"]:
        yield f"  ({pod['note']})"
    for one in pod["containers"]:
        head = tr("container {name}", name=one["name"])
        yield f"  {head}  {_state(one['state'])}  {tr('restarts {count}', count=one['restarts'])}"
        if one["lastState"]:
            yield f"    {because(tr('before'), _state(one['lastState']))}"
        if one["note"]:
            yield f"    ({one['note']})"
        for title, text in ((tr("log:"), one["log"]), (tr("log of the run before:"), one["previousLog"])):
            if text:
                yield f"    {title}"
                yield from (f"      {line}" for line in text.splitlines())


def _indented(text: str) -> str:
    """With the lines after its first one further in than that: a message may have line ends."""
    indent = " " * (len(text) - len(text.lstrip(" ")) + 4)
    return "\n".join([line if not n else indent + line for n, line in enumerate(text.splitlines())])


def _state(state: dict[str, Any]) -> str:
    """``waiting CrashLoopBackOff: back-off 10s``."""
    for name, part in state.items():
        what = " ".join(str(part[key]) for key in ("reason", "exitCode") if part.get(key) is not None)
        said = f": {part['message']}" if part.get("message") else ""
        return f"{name} {what}".rstrip() + said
    return ""
