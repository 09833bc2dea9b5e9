"""What a followed task looks like, from its events alone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli.exits import Exit
from kubemin.cli.output import span
from kubemin.cli.progress import JobLine, Progress
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus

STATUS: Any = {
    "status": "running",
    "reason": "",
    "cleanup": {"state": "none"},
    "components": [
        {"name": "web", "type": "webservice", "status": "queued", "error": ""},
        {"name": "conf", "type": "config", "status": "completed", "error": "", "startTime": 100, "endTime": 103},
    ],
}
STAGES: Any = {
    "stages": [
        {"id": 1, "name": "conf/ConfigMap/conf", "type": "ConfigMap", "status": "completed", "info": "", "error": ""},
        {
            "id": 2,
            "name": "web/Deployment/deploy-web",
            "type": "Deployment",
            "status": "queued",
            "info": "",
            "error": "",
        },
        {"id": 3, "name": "rollback", "type": "rollback", "status": "queued", "info": "", "error": ""},
    ]
}


def loaded() -> Progress:
    progress = Progress("t")
    progress.load(STATUS, STAGES)
    return progress


def take(progress: Progress, kind: str, data: dict[str, Any], now: float) -> list[str]:
    event: Any = {"id": 1, "type": kind, **data}
    return progress.take(event, now)


def job(number: int, status: str, info: str | None = None, error: str | None = None, **count: int) -> dict[str, Any]:
    return {"job": number, "status": status, "info": info, "error": error, **count}


def test_a_component_shows_how_far_its_workload_is() -> None:
    progress = loaded()
    assert take(progress, "job", job(2, "running"), 200) == ["web  Deployment/deploy-web  running"]
    info = "Deployment deploy-web: 1 of 3 updated replicas are available"
    assert take(progress, "job", job(2, "running", info, ready=1, desired=3), 201) == [
        "web  Deployment/deploy-web  running  1 of 3 updated replicas are available"
    ]
    web = progress.components["web"]
    assert (web.status, web.ready, web.start, web.end) == ("running", "1/3", 200, None)
    info = "Deployment deploy-web: 3 of 3 replicas are available"
    assert take(progress, "job", job(2, "completed", info, ready=3, desired=3), 205) == [
        "web  Deployment/deploy-web  completed"
    ]
    assert (web.status, web.ready, web.end, web.note) == ("completed", "3/3", 205, "")
    assert take(progress, "job", job(2, "running", info), 206) == []  # it came late
    assert (web.status, web.end) == ("completed", 205)


def test_what_was_over_before_it_was_followed_is_told_too() -> None:
    progress = loaded()
    assert take(progress, "job", job(1, "running"), 200) == ["conf  ConfigMap/conf  running"]
    assert progress.components["conf"].status == "completed"
    assert take(progress, "job", job(1, "completed"), 200) == ["conf  ConfigMap/conf  completed"]
    conf = progress.components["conf"]
    assert (conf.status, conf.start, conf.end) == ("completed", 100, 103)
    progress.load(STATUS, STAGES)  # as after a connection that broke
    assert take(progress, "job", job(1, "completed"), 201) == []


def test_a_dry_run_tells_what_each_job_would_do() -> None:
    assert take(loaded(), "job", job(2, "skipped", "would be created"), 200) == [
        "web  Deployment/deploy-web  skipped  would be created"
    ]


def test_a_failure_is_told_with_its_reason() -> None:
    progress = loaded()
    lines = take(progress, "job", job(2, "failed", None, "no such image"), 200)
    assert lines == ["web  Deployment/deploy-web  failed  no such image"]
    lines = take(progress, "task", {"status": "failed", "reason": "no such image", "cleanup": "pending"}, 201)
    assert lines == ["task failed: no such image"]
    gone = {"seq": 1, "kind": "ConfigMap", "namespace": "default", "name": "conf", "state": "deleted", "why": ""}
    assert take(progress, "resource", gone, 202) == ["rollback  ConfigMap/default/conf  deleted"]
    assert take(progress, "cleanup", {"state": "incomplete", "why": "one is held"}, 203) == [
        "cleanup incomplete: one is held"
    ]
    assert progress.settled
    assert progress.exit is Exit.INCOMPLETE


def test_what_goes_after_completion_is_a_removal_and_no_rollback() -> None:
    progress = loaded()
    take(progress, "task", {"status": "completed", "reason": "", "cleanup": "pending"}, 201)
    gone = {"seq": 1, "kind": "ConfigMap", "namespace": "default", "name": "conf", "state": "deleted", "why": ""}
    assert take(progress, "resource", gone, 202) == ["removal  ConfigMap/default/conf  deleted"]


def test_what_the_task_did_last_is_not_told_as_put_back() -> None:
    """Its journal may say so after the task has said that it is cancelled."""
    progress = loaded()
    take(progress, "task", {"status": "cancelled"}, 200)
    row = {"kind": "ConfigMap", "namespace": "default", "name": "conf", "why": ""}
    assert take(progress, "resource", {**row, "state": "created"}, 201) == []
    held = {**row, "state": "created", "why": "waits for example.com/hold"}
    assert take(progress, "resource", held, 202) == [
        "rollback  ConfigMap/default/conf  created  waits for example.com/hold"
    ]


def test_going_forward_resources_are_not_told() -> None:
    made = {"seq": 1, "kind": "ConfigMap", "namespace": "default", "name": "conf", "state": "created", "why": ""}
    assert take(loaded(), "resource", made, 200) == []


def test_each_ending_has_its_exit_code() -> None:
    codes = {
        (TaskStatus.COMPLETED, Cleanup.NONE): 0,
        (TaskStatus.FAILED, Cleanup.DONE): 1,
        (TaskStatus.TIMEOUT, Cleanup.DONE): 3,
        (TaskStatus.CANCELLED, Cleanup.DONE): 4,
        (TaskStatus.CANCELLED, Cleanup.INCOMPLETE): 5,
        (TaskStatus.FAILED, Cleanup.INCOMPLETE): 5,
    }
    for (status, cleanup), code in codes.items():
        assert Progress("t", status, cleanup).exit == code


events = st.one_of(
    st.tuples(
        st.just("job"),
        st.fixed_dictionaries(
            {
                "job": st.integers(0, 4),
                "status": st.sampled_from(JobStatus),
                "info": st.none() | st.text(),
                "error": st.none() | st.text(),
            },
            optional={"ready": st.integers(0, 3), "desired": st.just(3)},
        ).filter(lambda data: ("ready" in data) == ("desired" in data)),
    ),
    st.tuples(
        st.just("task"), st.fixed_dictionaries({"status": st.sampled_from(TaskStatus)}, optional={"reason": st.text()})
    ),
    st.tuples(st.just("cleanup"), st.fixed_dictionaries({"state": st.sampled_from(Cleanup), "why": st.text()})),
    st.tuples(
        st.just("resource"),
        st.fixed_dictionaries(
            {
                "seq": st.just(1),
                "kind": st.just("Service"),
                "namespace": st.just(""),
                "name": st.just("x"),
                "state": st.sampled_from(ResourceState),
                "why": st.text(),
            }
        ),
    ),
    st.tuples(st.just("end"), st.fixed_dictionaries({"cleanup": st.sampled_from(Cleanup)})),
    st.tuples(st.just("news-of-a-later-version"), st.just({})),
)


@given(st.lists(events))
def test_whatever_comes_an_ended_component_stays_so(sequence: list[tuple[str, dict[str, Any]]]) -> None:
    progress = loaded()
    ended: dict[int, JobStatus] = {}
    for number, (kind, data) in enumerate(sequence):
        for line in take(progress, kind, data, number):
            assert line
        for key, one in progress.jobs.items():
            assert ended.get(key, one.status) is one.status
            if one.status.ended:
                ended[key] = one.status
    if progress.status.ended:
        assert all(TaskStatus(one.status).ended for one in progress.components.values() if one.status != "prepare")


@given(st.integers(0, 10**7), st.integers(0, 10**6))
def test_spans_are_short(start: int, length: int) -> None:
    shown = span(start, start + length, 0)
    assert len(shown) <= 7
    assert shown == span(start, None, start + length)
    assert span(None, None, 0) == "-"


def test_a_pause_has_a_line_that_says_what_it_waits_for() -> None:
    progress = Progress("t")
    pause = {"id": 3, "name": "pause approve/Pause", "type": "Pause", "status": "queued", "info": "", "error": ""}
    stages: Any = {"stages": [*STAGES["stages"][:2], pause]}
    progress.load(STATUS, stages)
    said = take(progress, "job", job(3, "running", "waits for promote"), 200)
    assert said == ["pause approve  Pause  running  waits for promote"]
    assert progress.components["pause approve"].note == "waits for promote"
    assert take(progress, "job", job(3, "running", "promoted by ada"), 201)[0].endswith("promoted by ada")
    take(progress, "job", job(3, "completed"), 202)
    assert (progress.components["pause approve"].status, progress.components["pause approve"].end) == ("completed", 202)


def test_a_completed_job_whose_step_is_put_back_is_told_once_more() -> None:
    progress = loaded()
    take(progress, "job", job(2, "completed"), 200)
    said = take(progress, "job", job(2, "cancelled", None, "step 'extras' failed, and is put back: no"), 201)
    assert said == ["web  Deployment/deploy-web  cancelled  step 'extras' failed, and is put back: no"]
    assert progress.components["web"].status == "cancelled"
    assert take(progress, "job", job(2, "running"), 202) == []


def test_what_is_said_of_one_job_stays_though_nothing_is_said_of_another() -> None:
    """Events of a component's jobs come in any order, and one may only say how many replicas are ready."""
    progress = loaded()
    info = "Deployment deploy-web: 0 of 3 updated replicas are available"
    take(progress, "job", job(2, "running", info), 200)
    web = progress.components["web"]
    said = "0 of 3 updated replicas are available"
    progress.jobs[3] = JobLine("web/Service/web", JobStatus.RUNNING)
    for quiet in (job(3, "completed"), job(2, "running", ready=0, desired=3)):
        take(progress, "job", quiet, 201)
        assert web.note == said
    progress.load(STATUS, STAGES)
    assert web.note == said
    take(progress, "job", job(2, "failed", error="no image"), 202)
    assert web.note == "no image"
