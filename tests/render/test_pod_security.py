"""The profile ``restricted`` of the Pod Security Standards: the example in the documentation meets it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubemin.render import render
from tests.docs.test_examples import EXAMPLES, FORMAT, application

Json = dict[str, Any]


def careful() -> Json:
    """The Pod of the example."""
    apps = [app for block in EXAMPLES if block.page.path.name == FORMAT.name and (app := application(block))]
    [app] = [app for app in apps if any(part.name == "careful" for part in app.component)]
    [workload] = [one.manifest for one in render(app) if one.manifest["kind"] == "Deployment"]
    template: Json = workload["spec"]["template"]
    return template


def beyond_restricted(template: Json) -> Iterator[str]:
    """What the profile forbids in a Pod, beyond what `baseline` does. Told here in its own words, not by our code."""
    pod = template["spec"]
    whole = pod.get("securityContext", {})
    for volume in pod.get("volumes", ()):
        kinds = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected"}
        if not volume.keys() & {*kinds, "secret"}:
            yield "volume types"
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        own = container.get("securityContext", {})
        context = {**whole, **own}
        if own.get("allowPrivilegeEscalation") is not False:
            yield "privilege escalation"
        if context.get("runAsNonRoot") is not True:
            yield "running as non-root"
        if context.get("runAsUser") == 0 or whole.get("runAsUser") == 0:
            yield "running as root"
        if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield "seccomp"
        capabilities = own.get("capabilities", {})
        if "ALL" not in capabilities.get("drop", ()) or {*capabilities.get("add", ())} - {"NET_BIND_SERVICE"}:
            yield "capabilities"


def test_the_example_meets_it() -> None:
    assert list(beyond_restricted(careful())) == []


SPOILED: list[tuple[str, Callable[[Json], Any]]] = [
    ("privilege escalation", lambda pod: pod["containers"][1]["securityContext"].pop("allowPrivilegeEscalation")),
    ("capabilities", lambda pod: pod["containers"][0]["securityContext"].pop("capabilities")),
    ("running as non-root", lambda pod: pod["securityContext"].pop("runAsNonRoot")),
    ("running as root", lambda pod: pod["securityContext"].update(runAsUser=0)),
    ("seccomp", lambda pod: pod["securityContext"].pop("seccompProfile")),
]


@pytest.mark.parametrize(("rule", "spoil"), SPOILED, ids=[rule for rule, _ in SPOILED])
def test_nothing_in_the_example_is_there_for_nothing(rule: str, spoil: Callable[[Json], Any]) -> None:
    template = copy.deepcopy(careful())
    spoil(template["spec"])
    assert set(beyond_restricted(template)) == {rule}
