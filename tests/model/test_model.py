"""The model: the design keeps its promise, and each of its rules is there for a reason (`make model` searches more)."""

import pytest

from kubemin.spec.states import TaskStatus
from model import holds
from model.__main__ import FEW, NONE, PODS, SHORT, main, without
from model.rules import ALL, Rule
from model.search import Scene, claims, refusals, scenes, search, strangers
from model.state import At, Faults, Object, Request, State, set_worker, write
from model.steps import DEPLOY, NOTHING
from model.world import progress, start


def test_the_design_keeps_its_promise() -> None:
    result = search(scenes(SHORT), ALL)
    assert result.broken is None, str(result.broken)
    assert result.states > 40_000, "the search visits as many states as before"


def test_it_keeps_it_with_a_pod_that_starts_at_any_moment() -> None:
    result = search(scenes(PODS), ALL)
    assert result.broken is None, str(result.broken)
    assert result.states > 10_000, "the search visits as many states as before"


@pytest.mark.parametrize(
    ("begin", "states"),
    [
        (strangers(SHORT), 5_000),
        (strangers(FEW._replace(incomplete=1, takeovers=1)), 3_000),
        (refusals(NONE._replace(silences=1, edits=1, quotas=1)), 500),
        (claims(FEW), 6_000),
    ],
    ids=["strangers", "strangers-taken-over", "refusals", "volume-claims"],
)
def test_it_does_no_harm_to_what_others_have(begin: list[Scene], states: int) -> None:
    result = search(begin, ALL)
    assert result.broken is None, str(result.broken)
    assert result.states > states, "the search visits as many states as before"


def test_a_released_object_gets_no_marks_of_a_late_request() -> None:
    """Of the adopting task: each apply carries the version, and the release has moved that."""
    left = NONE._replace(silences=1)
    assert search(strangers(left), ALL).broken is None
    broken = search(strangers(left), ALL - {Rule.APPLY_WITH_VERSION}).broken
    assert broken is not None
    assert broken.steps[-1] == "T1's late apply arrives (done)"


def test_what_is_there_is_changed_though_nothing_may_be_created() -> None:
    state = Scene(there=True, second=NOTHING, left=NONE, barred=True).begin()
    while moves := list(progress(state, ALL)):
        [(_, state)] = moves
    assert state.tasks[0].status is TaskStatus.COMPLETED
    assert state.object is not None
    assert state.object.value == "T1"


def test_a_pass_that_runs_out_of_time_and_a_second_cancel_break_nothing() -> None:
    left = Faults(deaths=1, silences=0, edits=0, cancels=2, incomplete=1)
    result = search(scenes(left), ALL)
    assert result.broken is None, str(result.broken)


@pytest.mark.parametrize(
    "rule",
    [pytest.param(rule, id=rule.name, marks=pytest.mark.proof if at % 3 else []) for at, rule in enumerate(Rule)],
)
def test_without_a_rule_the_promise_breaks(rule: Rule) -> None:
    broken = without(frozenset([rule]))
    assert broken is not None, f"{rule.name} is not needed"
    assert 1 < len(broken.steps) < 25, "and the counterexample is short enough to be read"


def test_a_revision_that_ends_in_a_second_step_is_not_what_the_cluster_has() -> None:
    """Two workers may have ended their tasks, and then say so of the revisions in the other order."""
    broken = without(frozenset([Rule.REVISION_WITH_TASK]))
    assert broken is not None
    assert broken.steps[-1] == "W1 commits that the revision of T1 is current"
    assert broken.why == "the object is of the revision of T2, which is superseded"


def test_a_promote_lets_its_hold_pass_and_no_other_whoever_dies_or_cancels() -> None:
    found = holds.search()
    assert not found.why, str(found)
    assert found.states > 200, "the search visits as many states as before"


@pytest.mark.parametrize("rule", holds.HoldRule, ids=lambda rule: rule.name)
def test_without_a_rule_of_the_holds_a_promise_breaks(rule: holds.HoldRule) -> None:
    found = holds.search(frozenset(holds.HoldRule) - {rule})
    assert found.why, f"{rule.name} is not needed"
    assert 1 < len(found.steps) < 15, "and the counterexample is short enough to be read"


def test_a_counterexample_can_be_repeated() -> None:
    """The steps that are printed happen one after the other."""
    broken = without(frozenset([Rule.REAPER]))
    assert broken is not None
    assert broken.steps[0] == "W1 claims T1"
    assert broken.steps[-1] == "T1's late POST arrives (created)"
    assert broken.why == "the object is there (T1), and no completed task knows that it made it"
    assert str(broken).count("\n") == len(broken.steps) + 1


def test_without_faults_there_is_one_order_and_it_completes() -> None:
    state = start(there=False, second=DEPLOY, left=NONE)
    texts = []
    while moves := list(progress(state, ALL)):
        [(what, state)] = moves
        texts.append(what)
    assert texts == [
        "W1 claims T1",
        "W1 reads: absent; sends POST for T1",
        "W1's POST arrives (created), and its answer too",
        "W1 commits T1 completed",
        "W1 claims T2",
        "W1 reads: it is there (T1); sends apply for T2",
        "W1's apply arrives (done), and its answer too",
        "W1 commits T2 completed",
    ]
    assert search([Scene(there=False, second=NOTHING, left=NONE)], ALL).states == 5


def test_who_remembers_a_version_remembers_an_older_one_after_a_write() -> None:
    request = Request("apply", 0, At.NOW, "T1")
    state: State = start(there=True, second=NOTHING, left=NONE)._replace(late=(request,))
    state = set_worker(state, 0, state.workers[0]._replace(task=0, awaits=request))
    edited = write(state, Object("theirs"), same_uid=True)
    assert edited.late[0].at is At.OLDER
    assert edited.workers[0].awaits == edited.late[0]
    again = write(edited, Object("theirs"), same_uid=False)
    assert again.late[0].at is At.OTHER


def test_the_command_prints_a_counterexample(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["TERMINAL_STAYS"]) == 0
    assert "T1 was cancelled, and is completed now" in capsys.readouterr().out
