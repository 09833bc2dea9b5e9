"""What the proof found, or finds where a rule is taken out of the engine: the shortest script of each.

To see one go: ``python -m tests.proof.show "<a part of its line>"``.
"""

from dataclasses import replace

import pytest
import structlog

from tests.proof.interpreter import outcomes
from tests.proof.script import (
    Again,
    Cancel,
    Create,
    Delete,
    Deny,
    Edit,
    Evict,
    Foreign,
    Kill,
    Part,
    Pause,
    Promote,
    Remove,
    Round,
    Save,
    Script,
    Target,
    Trouble,
)
from tests.proof.strategies import DENIED

CONF, NEXT = Part("a"), Part("a", version=2)
WEB, DATA = Part("a", "webservice"), Part("a", "store", volume=True)
READER = Part("r", "webservice", reads="config a")
FAILS = Part("z", "webservice", fate="pull")
THEIR_CONF = Foreign(Target("a", "ConfigMap"))
THEIR_WEB = Foreign(Target("a", "Deployment"))
D_STORE = Part("d", "store", volume=True)
DEFINES = Part("a", "manifests", extras=("definition", "role"))
CONF_C, DATA_B, WEB_W = Part("c"), Part("b", "store", volume=True), Part("w", "webservice")
SERVED = Part("a", "webservice", ports=True)
HELD = replace(SERVED, version=2, way="canary-held")
GREEN = replace(SERVED, version=2, way="blue-green-held")
HOOKS = Part("h", "manifests", extras=("before", "after"))
KEPT = Part("s", "secret")
FETCHED = replace(KEPT, extras=("external",))
EVERYTHING = Part("e", "webservice", ports=True, volume=True, extras=("env", "labels", "ingress"))


def _denied(how: str) -> tuple[Deny, ...]:
    """From the start to the end of a round nothing of these can be created."""
    return tuple(Deny(1, plural, full=how == "quota", lasts=True) for plural in DENIED)


CASES = {
    "a ReplicaSet that came with a restore, as somebody had injected something, kept our token": Script(
        (
            Round(
                (Part("b", "webservice"), FAILS),
                there=(Foreign(Target("b", "Deployment")),),
                events=(Edit("call:apply:Deployment/shop-b:after", Target("b", "Deployment"), "inject"),),
                how="apply",
            ),
        )
    ),
    "the same, and the worker died before it knew the answer": Script(
        (
            Round(
                (Part("b", "webservice"), FAILS),
                there=(Foreign(Target("b", "Deployment")),),
                events=(
                    Edit("call:apply:Deployment/shop-b:after", Target("b", "Deployment"), "inject"),
                    Kill("commit:answer"),
                ),
                how="apply",
            ),
        )
    ),
    "what somebody added after a PUT without an answer stayed, and was nobody's": Script(
        (
            Round(
                (Part("b"), FAILS),
                there=(Foreign(Target("b", "ConfigMap")),),
                events=(
                    Edit("call:replace:ConfigMap/shop-b:after", Target("b", "ConfigMap")),
                    Kill("call:patch:ConfigMap/shop-b"),
                ),
                how="apply",
                take_over=True,
            ),
        )
    ),
    "a Pod that started in the middle kept the values of a task that was rolled back": Script(
        (
            Round((CONF, READER)),
            Round(
                (NEXT, READER, FAILS),
                events=(Evict("apply:ConfigMap/shop-a:after", Target("r", "Deployment")), Cancel("create:Deployment")),
            ),
        )
    ),
    "a container that restarted in the middle kept them, and a worker died as it replaced the Pods": Script(
        (
            Round((CONF, Part("r", "store", reads="config a"))),
            Round(
                (NEXT, Part("r", "store", reads="config a"), FAILS),
                events=(
                    Evict("apply:ConfigMap/shop-a:after", Target("r", "StatefulSet"), restart=True),
                    Cancel("create:Deployment"),
                    Kill("delete:Pod"),
                ),
            ),
        )
    ),
    "what somebody did between the two requests that change a Deployment went with the rollback": Script(
        (
            Round((WEB,), how="apply"),
            Round(
                (replace(WEB, version=2, way="recreate"), FAILS),
                events=(Edit("patch:Deployment/shop-a:before", Target("a", "Deployment")),),
                how="apply",
                ends="failed",
            ),
        )
    ),
    "a ReplicaSet of former times that a failed run had used again kept another task's token, as KubeMin's": Script(
        (
            Round((WEB,), how="apply"),
            Round((replace(WEB, version=2),), how="apply"),
            Round((WEB, FAILS), how="apply", ends="failed"),
        )
    ),
    "a hook that goes with its run is made anew in each, and a Job of a former run is not put back": Script(
        (
            Round((HOOKS,), how="apply", ends="completed"),
            Round((replace(HOOKS, version=2),), how="apply", ends="completed"),
            Round((replace(HOOKS, version=3), FAILS), how="apply", ends="failed"),
            Round((HOOKS,), how="rollback", ends="completed"),
        )
    ),
    "an autoscaler has the replicas until the application has it no more": Script(
        (
            Round((replace(WEB, extras=("scaler",)),), how="apply", ends="completed"),
            Round((replace(WEB, version=2, replicas=3, extras=("scaler",)),), how="apply", ends="completed"),
            Round((replace(WEB, version=3, replicas=2),), how="apply", ends="completed"),
            Round((replace(WEB, version=4, extras=("scaler", "auto")), FAILS), how="apply", ends="failed"),
        )
    ),
    "objects of another name, in another namespace, and of another kind replace those before": Script(
        (
            Round((replace(SERVED, extras=("route", "renamed", "elsewhere")), FETCHED), how="apply", ends="completed"),
            Round((replace(SERVED, version=2, extras=("exposed", "renamed")), KEPT), how="apply", ends="completed"),
            Round((replace(SERVED, version=3, extras=("route", "rights")), FETCHED, FAILS), ends="failed"),
        )
    ),
    "a Namespace that a worker made as it died was nobody's, and went with a completed task in it": Script(
        (Round((CONF,), events=(Kill("create:Namespace/team:after"),), namespace="team"),)
    ),
    "a run waited while its application was deleted: it brought objects that no application had": Script(
        (
            Round((CONF,)),
            Round(
                (NEXT, READER),
                events=(Remove("commit:start:before"), Again("commit:start:after", (NEXT,), how="apply")),
            ),
        )
    ),
    "a run that did not complete leaves the former revision as the current one": Script(
        (
            Round((CONF,), how="apply"),
            Round((NEXT, FAILS), events=(Cancel("create:Deployment"),), how="apply", ends="cancelled"),
        )
    ),
    "a worker died before it completed: its revision is the current one all the same": Script(
        (
            Round((CONF, READER), how="apply"),
            Round((NEXT, READER), events=(Kill("commit:finish:before"),), how="apply", ends="completed"),
        )
    ),
    "a step that failed is put back: its components are in the revision as they were": Script(
        (
            Round((WEB, D_STORE)),
            Round((replace(WEB, fate="pull", version=2), D_STORE), steps="Continue", how="apply"),
        )
    ),
    "a new component whose step failed is not in the revision": Script(
        (Round((FAILS, CONF), steps="Continue", how="apply", ends="completed"),)
    ),
    "an apply replaces what was saved meanwhile, an exec does not": Script(
        (
            Round((CONF,), how="apply"),
            Round((NEXT, READER), events=(Save("commit:start:before", (CONF,)),), ends="completed"),
            Round((NEXT,), events=(Save("commit:start:before", (CONF, READER)),), how="apply", ends="completed"),
        )
    ),
    "a rollback brings back what was dropped, a restart changes nothing else": Script(
        (
            Round((CONF, WEB_W), how="apply"),
            Round((NEXT,), how="apply"),
            Round((), how="rollback", ends="completed"),
            Round((), how="restart", ends="completed"),
        )
    ),
    "each promote lets one pause pass, also where a worker dies": Script(
        (Round((CONF, WEB_W), events=(Promote(1), Kill("commit:job"), Promote(1)), steps="Pauses", ends="completed"),)
    ),
    "one promote does not let a second pause pass": Script(
        (Round((CONF, WEB_W), events=(Promote(1),), steps="Pauses", ends="timeout"),)
    ),
    "a Namespace goes with the rollback, but not with what others have put into it": Script(
        (
            Round(
                (FAILS, CONF),
                events=(Create("create:Deployment", Target("a", "ConfigMap")),),
                steps="StepByStep",
                namespace="team",
            ),
        )
    ),
    "a Namespace stays with an object in it whose claim somebody took off": Script(
        (
            Round(
                (CONF, FAILS),
                events=(Edit("commit:finish", Target("a", "ConfigMap"), "strip"),),
                namespace="team",
            ),
        )
    ),
    "a field that somebody took from us stayed ours as well after the restore": Script(
        (
            Round(
                (CONF, FAILS),
                there=(THEIR_CONF,),
                events=(Edit("create:Deployment", Target("a", "ConfigMap"), "overwrite"),),
            ),
        )
    ),
    "a default that came with an unanswered change stayed": Script(
        (
            Round(
                (Part("a", "webservice", extras=("rbac",)),),
                there=(THEIR_WEB,),
                troubles=(Trouble("drop", "apply", "deployments", when="after"),),
                events=(Cancel("apply:Deployment"),),
            ),
        )
    ),
    "our ReplicaSet stayed beside one that cannot run, and never could": Script(
        (
            Round(
                (Part("a", "webservice", fate="never"),),
                there=(Foreign(Target("a", "Deployment"), "broken"),),
                seconds=2.0,
            ),
        )
    ),
    "a worker that died as it put an unanswered change back left the ReplicaSet": Script(
        (
            Round(
                (WEB,),
                there=(THEIR_WEB,),
                troubles=(Trouble("drop", "apply", "deployments", when="after"),),
                events=(Cancel("apply:Deployment"), Kill("delete:ReplicaSet")),
            ),
        )
    ),
    "a StatefulSet waited for ever for a Pod that cannot start before it went back": Script(
        (Round((Part("a", "store"),)), Round((Part("a", "store", 2, "pull"),)))
    ),
    "a row that is settled before its ReplicaSet is gone is never looked at again": Script(
        (
            Round((WEB,)),
            Round(
                (Part("a", "webservice", 2, "pull"),),
                troubles=(Trouble("drop", "delete", "replicasets", times=3),),
                events=(Kill("commit:settle:after"),),
            ),
        )
    ),
    "a Deployment whose claim somebody took off kept it on its ReplicaSet": Script(
        (Round((WEB, FAILS), events=(Edit("commit:finish", Target("a", "Deployment"), "strip"),)),)
    ),
    "a removal that was stopped said of what it was deleting that it is kept": Script(
        (Round((WEB,)), Round((WEB,), events=(Remove("finish:after"), Cancel("delete:Deployment")))),
    ),
    "what a stopped removal had taken away was still said to be deployed": Script(
        (
            Round((CONF_C, WEB)),
            Round((CONF_C, WEB), events=(Remove("finish:after"), Cancel("delete:Deployment"))),
            Round(
                (CONF_C, WEB), events=(Remove("finish:after"), Kill("delete:Deployment"), Cancel("delete:Deployment"))
            ),
        )
    ),
    "a create that lands after the rollback": Script(
        (Round((CONF,), troubles=(Trouble("late", "create", "configmaps", times=None),), seconds=0.5),)
    ),
    "an apply that lands after the rollback": Script(
        (
            Round(
                (CONF,),
                there=(THEIR_CONF,),
                troubles=(Trouble("late", "apply", "configmaps", times=None),),
                seconds=0.5,
            ),
        )
    ),
    "an object made anew by somebody else between the look and the deletion": Script(
        (
            Round(
                (CONF, FAILS),
                events=(
                    Delete("delete:ConfigMap", Target("a", "ConfigMap")),
                    Create("delete:ConfigMap", Target("a", "ConfigMap")),
                ),
            ),
        )
    ),
    "an object that somebody made anew from an export, with our claim on it": Script(
        (Round((CONF, FAILS), events=(Edit("create:Deployment", Target("a", "ConfigMap"), "remake"),)),)
    ),
    "an object edited by somebody else between the look and the change": Script(
        (
            Round(
                (CONF, FAILS),
                there=(THEIR_CONF,),
                events=(Edit("apply:ConfigMap", Target("a", "ConfigMap"), "overwrite"),),
            ),
        )
    ),
    "an object of the last deploy whose change was never answered": Script(
        (Round((CONF,)), Round((NEXT,), troubles=(Trouble("drop", "apply", "configmaps", times=None),), seconds=0.5))
    ),
    "a worker that died before it knew what it had made": Script(
        (Round((CONF, FAILS), events=(Kill("create:ConfigMap/shop-a:after"),)),)
    ),
    "a worker that sleeps through the rollback, and wakes with its change in hand": Script(
        (
            Round(
                (CONF,),
                there=(THEIR_CONF,),
                events=(Pause("apply:ConfigMap/shop-a:before"), Cancel("start:before#2")),
            ),
        )
    ),
    "a field that the next version drops": Script((Round((CONF,)), Round((NEXT,)))),
    "claims that were there before, and are in nobody's use": Script(
        (
            Round((Part("a", "store", replicas=3, volume=True),)),
            Round((Part("a", "store", replicas=1, volume=True),)),
            Round((Part("a", "store", 2, replicas=2, volume=True), FAILS)),
        )
    ),
    "claims that came with a StatefulSet": Script((Round((DATA, FAILS)),)),
    "what another application shares, and its maker no longer has": Script(
        (
            Round((Part("a", extras=("share",)),)),
            Round((Part("b", extras=("share",)),), app="other"),
            Round((Part("c", "secret"),)),
        )
    ),
    "a leftover that the next version has": Script(
        (
            Round(
                (CONF, FAILS),
                troubles=(Trouble("status", "delete", "configmaps", times=None, code=403),),
                events=(Again("commit:finish", (NEXT,)),),
            ),
            Round((Part("c", "secret"),)),
        )
    ),
    "what others injected stays through an update and a rollback": Script(
        (
            Round((WEB,)),
            Round((WEB,), events=(Edit("commit:finish", Target("a", "Deployment"), "inject"),)),
            Round((Part("a", "webservice", version=2, extras=("env",)),)),
            Round((Part("a", "webservice", version=3), FAILS)),
        )
    ),
    "what others injected goes when a run takes over": Script(
        (
            Round((WEB,), events=(Edit("commit:finish", Target("a", "Deployment"), "inject"),)),
            Round((Part("a", "webservice", version=2, extras=("env",)),), take_over=True),
        )
    ),
    "what others injected comes back where a run that takes over dies in between, and is rolled back": Script(
        (
            Round((DATA,), events=(Edit("commit:finish", Target("a", "StatefulSet"), "inject"),)),
            Round(
                (Part("a", "store", version=2, volume=True), FAILS),
                events=(Kill("replace:StatefulSet/shop-a"), Kill("apply:StatefulSet/shop-a")),
                steps="StepByStep",
                take_over=True,
            ),
        )
    ),
    "the answer to the removal of what others injected is lost": Script(
        (
            Round((WEB,), events=(Edit("commit:finish", Target("a", "Deployment"), "inject"),)),
            Round(
                (Part("a", "webservice", version=2), FAILS),
                troubles=(Trouble("drop", "update", "deployments", when="after"),),
                take_over=True,
            ),
        )
    ),
    "a policy that denies the creation of what is there does not hold an unchanged file, nor an update": Script(
        (
            Round((CONF, WEB_W, DATA_B)),
            Round((CONF, WEB_W, DATA_B), events=_denied("policy"), ends="completed"),
            Round(
                (NEXT, replace(WEB_W, version=2), DATA_B), events=_denied("policy"), preflight=False, ends="completed"
            ),
        )
    ),
    "a full quota does not hold an unchanged file, nor an update": Script(
        (
            Round((CONF, WEB_W, DATA_B)),
            Round((CONF, WEB_W, DATA_B), events=_denied("quota"), preflight=False, ends="completed"),
            Round((NEXT, replace(WEB_W, version=2), DATA_B), events=_denied("quota"), ends="completed"),
        )
    ),
    "a creation that a policy denies in the middle of a run fails it, and it is put back": Script(
        (
            Round((CONF,)),
            Round(
                (NEXT, Part("b", "webservice"), CONF_C),
                events=(Deny("create:Deployment", "configmaps", lasts=True, code=422),),
                steps="StepByStep",
                ends="failed",
            ),
            Round((NEXT, CONF_C), ends="completed"),
        )
    ),
    "a creation that a full quota does not allow fails the run, with and without a pre-flight": Script(
        (
            Round((CONF,)),
            Round((NEXT, WEB_W), events=(Deny(1, "deployments", full=True),), ends="failed"),
            Round(
                (NEXT, WEB_W), events=(Deny(1, "deployments", full=True, lasts=True),), preflight=False, ends="failed"
            ),
            Round((NEXT, WEB_W), ends="completed"),
        )
    ),
    "data stays when its component goes, and a later one of the same name has it again": Script(
        (
            Round((DATA, CONF_C)),
            Round((CONF_C,), ends="completed"),
            Round((DATA, CONF_C, FAILS), ends="failed"),
            Round((DATA,), events=(Remove("finish:after"),), ends="completed"),
        )
    ),
    "data goes where its deletion was asked for, also what a former run had kept": Script(
        (
            Round((DATA, Part("b", "webservice", volume=True), CONF_C)),
            Round((Part("b", "webservice", volume=True), CONF_C), ends="completed"),
            Round((Part("d", "store", replicas=2, volume=True),), delete_volumes=True, ends="completed"),
            Round((D_STORE,), events=(Remove("finish:after", volumes=True),), delete_volumes=True, ends="completed"),
        )
    ),
    "a rollback deletes no data that was there before, also of a run that may delete data": Script(
        (
            Round((Part("a", "store", replicas=2, volume=True), CONF_C)),
            Round((CONF_C, FAILS), delete_volumes=True, ends="failed"),
            Round((DATA, FAILS), delete_volumes=True, ends="failed"),
        )
    ),
    "what a removal keeps has no mark of ours, and the same file adopts it": Script(
        (
            Round((CONF, EVERYTHING, DATA_B), there=(THEIR_CONF,), events=(Remove("finish:after", release=True),)),
            Round((CONF, EVERYTHING, DATA_B), adopt=False, ends="failed"),
            Round((CONF, EVERYTHING, DATA_B), ends="completed"),
        )
    ),
    "a worker dies as it lets go of what a removal keeps": Script(
        (
            Round((CONF, WEB_W), events=(Remove("finish:after", release=True), Kill("replace:Deployment"))),
            Round((CONF, WEB_W), ends="completed"),
        )
    ),
    "a cancel that leaves what is there: the next run takes it over, and drops what it no longer has": Script(
        (
            Round((CONF, CONF_C, FAILS), events=(Cancel("create:Deployment", cleanup="none"),), ends="cancelled"),
            Round((NEXT, FAILS), ends="failed"),
            Round((NEXT,), ends="completed"),
        )
    ),
    "nobody promotes a canary: it goes, and the former version is the current one": Script(
        (Round((SERVED,)), Round((HELD,), events=(Promote(1),), ends="timeout"))
    ),
    "a canary is promoted past each of its steps, also where workers die": Script(
        (
            Round((SERVED,)),
            Round(
                (HELD,),
                events=(
                    Kill("create:Deployment/shop-a-canary:after"),
                    Promote(1),
                    Kill("apply:Deployment/shop-a-canary:after"),
                    Promote(1),
                ),
                ends="completed",
            ),
        )
    ),
    "a blue-green is cancelled after its Service was switched, and a worker dies as it goes back": Script(
        (
            Round((replace(SERVED, way="recreate"),)),
            Round(
                (GREEN, FAILS),
                events=(Promote(1), Cancel("apply:Deployment/shop-a:after"), Kill("replace:Deployment/shop-a:before")),
                ends="cancelled",
            ),
        )
    ),
    "a canary that a cancel left there goes with the next run that completes": Script(
        (
            Round((SERVED,)),
            Round((HELD,), events=(Cancel("create:Deployment/shop-a-canary:after", cleanup="none"),), ends="cancelled"),
            Round((replace(SERVED, version=3),), ends="completed"),
        )
    ),
    "the strategy of a run stayed in the cluster, and its revision says another": Script(
        (
            Round((replace(SERVED, way="recreate"),)),
            Round((replace(SERVED, version=2, way="recreate"),), way="blue-green", ends="completed"),
        )
    ),
    "a Namespace goes with a run of which every step was put back": Script(
        (Round((FAILS,), steps="Continue", namespace="team"),)
    ),
    "a cancel that leaves what is there, and what it had changed; then the removal": Script(
        (
            Round((CONF, CONF_C)),
            Round(
                (NEXT, WEB_W, FAILS),
                events=(Cancel("create:Deployment/shop-z", cleanup="none"),),
                steps="StepByStep",
                ends="cancelled",
            ),
            Round((CONF,), events=(Remove("finish:after"),), ends="completed"),
        )
    ),
    "a cleanup that was given up is not tried again, and the next run takes over what it left": Script(
        (
            Round((CONF_C,)),
            Round(
                (CONF, CONF_C, FAILS),
                troubles=(Trouble("status", "delete", "configmaps", times=None, code=403),),
                abandon=True,
                ends="failed",
            ),
            Round((NEXT, FAILS), ends="failed"),
            Round((NEXT,), ends="completed"),
        )
    ),
    "a removal whose cleanup was given up is made good by the next run": Script(
        (
            Round((CONF, CONF_C)),
            Round(
                (CONF_C,),
                troubles=(Trouble("status", "delete", "configmaps", times=None, code=403),),
                abandon=True,
                ends="completed",
            ),
            Round((CONF_C, WEB_W), ends="completed"),
        )
    ),
    "a StatefulSet that recreates is rolled out again, and the revision of its emptying goes": Script(
        (
            Round((Part("c", "store", 3, replicas=2),), how="apply", ends="completed"),
            Round(
                (Part("c", "store", 5, "never", 2, way="recreate"),),
                seconds=2.0,
                preflight=False,
                how="apply",
                ends="timeout",
            ),
        )
    ),
    "with a definition went the objects that others had made of its kind": Script(
        (
            Round(
                (DEFINES, Part("w", "webservice", fate="never")),
                events=(
                    Create("create:Deployment/shop-w:after", Target("a", "Custom")),
                    Cancel("create:Deployment/shop-w:after"),
                ),
                seconds=3.0,
                ends="cancelled",
            ),
        )
    ),
    "a custom resource is put back with what others applied to its lists": Script(
        (
            Round((DEFINES,), ends="completed"),
            Round(
                (replace(DEFINES, version=2), FAILS),
                events=(
                    Edit("start:after", Target("a", "Custom"), "inject"),
                    Edit("apply:ConfigMap/shop-a-plain:after", Target("a", "Custom"), "overwrite"),
                ),
                seconds=3.0,
                ends="failed",
            ),
        )
    ),
}


_TOGETHER = 6
"""How many run side by side: each of them mostly waits."""


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=() if number % 3 == 0 else pytest.mark.proof)
        for number, first in enumerate(range(0, len(CASES), _TOGETHER))
    ],
)
def test_what_was_found_once_is_found_no_more(first: int) -> None:
    try:
        scripts = list(CASES.values())[first : first + _TOGETHER]
        broken = [one for one in outcomes(scripts) if one is not None]
    finally:
        structlog.reset_defaults()  # the interpreter silences the log, which other tests read
    if broken:
        pytest.fail("\n\n".join(str(one) for one in broken))
