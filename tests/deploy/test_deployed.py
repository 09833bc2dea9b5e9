"""KubeMin deploys KubeMin: what Helm renders is an application like any other, its migration a hook.

It is ready, changed, stopped in the middle, and removed; the cluster is then as it was.
"""

from random import Random

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Posted
from kubemin.spec.application import Application, parse_application
from kubemin.spec.states import Cleanup, TaskStatus
from tests.bundles import bundles
from tests.bundles.test_bundles import Stopped, differences, everything, former, incomplete
from tests.engine.conftest import cluster, db, instance, sim
from tests.engine.instance import PATIENT, Instance

pytest.importorskip("helm_python", reason="Helm comes for Linux on x86_64 only")

from tests.deploy.chart import LEAST, Json, Refused, render_all

__all__ = ["cluster", "db", "instance", "sim"]

LIMITS = bundles.LIMITS.model_copy(update={"allow_rbac_names": "kubemin*"})
_FIRST: Json = {**LEAST, "ingress": {"enabled": True, "hosts": ["kubemin.example"]}}
_NEXT: Json = {
    **_FIRST,
    "image": {"tag": "0.2.0"},
    "api": {"rights": "read", "autoscaling": {"enabled": True}},
    "settings": {"KUBEMIN_ADOPT": "true"},
    "rights": {"namespaces": False},
    "networkPolicy": {"enabled": False},
}
"""Objects that change, one that is new, and some that are gone."""


@pytest.fixture(scope="module")
def versions() -> list[list[Json]]:
    """What Helm renders of both."""
    answers = render_all([_FIRST, _NEXT], "default")
    return [answer for answer in answers if not isinstance(answer, Refused)]


def application_of(manifests: list[Json]) -> Application:
    return parse_application({"name": "kubemin", "component": [bundles.component("kubemin", manifests)]}, LIMITS)


def prepare(instance: Instance) -> None:
    """The server may do what the bundle asks for, and the Secrets are there: the chart makes none."""
    instance.service._limits = LIMITS
    for name, key in (("kubemin", "KUBEMIN_DATABASE_URL"), ("kubemin-auth", "KUBEMIN_AUTH")):
        secret = {"metadata": {"name": name}, "stringData": {key: "x"}}
        instance.sim.registry.create("secrets", "default", secret, manager="ops")


async def deploy(instance: Instance, manifests: list[Json]) -> str:
    """Deploy them to completion; the application's id."""
    asked = await instance.service.run(Posted(application_of(manifests)), ExecOptions(), "ada")
    task = await instance.settled(asked.id)
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
    assert incomplete(instance, manifests) == []
    return task.app_id


async def test_it_is_deployed_changed_and_removed(instance: Instance, versions: list[list[Json]]) -> None:
    prepare(instance)
    before = everything(instance)
    first, changed = versions
    async with instance.worker(PATIENT):
        await deploy(instance, first)
        (migration,) = instance.sim.registry.scan("jobs")
        assert migration["status"]["succeeded"] == 1
        app_id = await deploy(instance, changed)
        (again,) = instance.sim.registry.scan("jobs")
        assert again["metadata"]["uid"] != migration["metadata"]["uid"], "the migration has run once more"
        assert not list(instance.sim.registry.scan("networkpolicies"))
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=False)
        assert (await instance.settled(removal.id)).cleanup in (Cleanup.DONE, Cleanup.NONE)
    await instance.sim.controllers.settled()
    assert differences(before, everything(instance)) == []


@pytest.mark.parametrize("draw", [0, *(pytest.param(number, marks=pytest.mark.proof) for number in range(1, 8))])
async def test_an_installation_that_is_stopped_leaves_nothing(
    instance: Instance, versions: list[list[Json]], draw: int
) -> None:
    prepare(instance)
    before = everything(instance)
    number = Random(f"install {draw}").randint(1, len(versions[0]))
    task = await Stopped(instance, number).run(application_of(versions[0]))
    await instance.sim.controllers.settled()
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert differences(before, everything(instance)) == []


@pytest.mark.parametrize("draw", [0, *(pytest.param(number, marks=pytest.mark.proof) for number in range(1, 8))])
async def test_an_upgrade_that_is_stopped_leaves_the_version_before(
    instance: Instance, versions: list[list[Json]], draw: int
) -> None:
    prepare(instance)
    first, changed = versions
    async with instance.worker(PATIENT):
        await deploy(instance, first)
    await instance.sim.controllers.settled()
    before = everything(instance)
    number = Random(f"upgrade {draw}").randint(1, sum(one not in first for one in changed))
    task = await Stopped(instance, number).run(application_of(changed))
    await instance.sim.controllers.settled()
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    gone = {f"{name} is gone" for name in await former(instance, task)}
    assert set(differences(before, everything(instance))) <= gone, "but for the Job of the migration before"
