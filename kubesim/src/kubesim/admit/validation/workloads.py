"""What workloads must be: Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job, CronJob."""

import re
from typing import Any

from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.claims import check_claim_spec
from kubesim.admit.validation.metadata import check_selector, selects
from kubesim.admit.validation.pods import check_pod_template

__all__ = [
    "check_cron_job",
    "check_daemon_set",
    "check_deployment",
    "check_job",
    "check_replica_set",
    "check_replication_controller",
    "check_stateful_set",
]

Object = dict[str, Any]

_STATEFUL_SET_FREE = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)
_STATEFUL_SET_FIXED = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def _check_selection(spec: Object, kind: str, causes: Causes) -> None:
    """Check the selector, and that it selects the template's pods."""
    selector = spec.get("selector")
    if selector is None:
        causes.required("spec.selector")
    else:
        check_selector("spec.selector", selector, causes)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            causes.invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    labels = spec["template"]["metadata"].get("labels", {})
    if selector is None or not selects(selector, labels):
        causes.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _check_always(spec: Object, owner: str, causes: Causes) -> None:
    """Check that the template's pods run for ever."""
    pod = spec["template"]["spec"]
    causes.one_of("spec.template.spec.restartPolicy", pod["restartPolicy"], ("Always",))
    if "activeDeadlineSeconds" in pod:
        causes.forbidden(
            "spec.template.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {owner} is not Supported"
        )


def check_deployment(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a Deployment."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    causes.not_negative("spec.replicas", spec["replicas"])
    _check_selection(spec, "deployment", causes)
    check_pod_template("spec.template", spec["template"], causes)
    _check_always(spec, "ReplicaSet", causes)
    _check_strategy(spec["strategy"], causes)
    for field in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        causes.not_negative(f"spec.{field}", spec.get(field))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        causes.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    if old is not None:
        causes.unchanged("spec.selector", spec.get("selector"), old["spec"].get("selector"))


def _check_strategy(strategy: Object, causes: Causes) -> None:
    if strategy["type"] == "Recreate":
        if "rollingUpdate" in strategy:
            causes.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif strategy["type"] == "RollingUpdate":
        rolling = strategy["rollingUpdate"]
        path = "spec.strategy.rollingUpdate"
        values = [_check_share(f"{path}.{field}", rolling[field], causes) for field in ("maxUnavailable", "maxSurge")]
        if values == [0, 0]:
            causes.invalid(f"{path}.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
    else:
        causes.unsupported("spec.strategy.type", strategy["type"], ("Recreate", "RollingUpdate"))


def _check_share(path: str, value: int | str, causes: Causes) -> int | None:
    """Check a number or a percentage, and return what it says, None if nothing."""
    if isinstance(value, int):
        causes.not_negative(path, value)
        return value
    if not re.fullmatch("[0-9]+%", value):
        causes.invalid(
            path,
            value,
            "a valid percent string must be a numeric string followed by an ending '%' "
            "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        )
        return None
    return int(value[:-1])


def check_replica_set(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a ReplicaSet."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    causes.not_negative("spec.replicas", spec["replicas"])
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    _check_selection(spec, "replicaset", causes)
    if old is None or spec["template"] != old["spec"]["template"]:
        check_pod_template("spec.template", spec["template"], causes)
        _check_always(spec, "ReplicaSet", causes)
    if old is not None:
        causes.unchanged("spec.selector", spec.get("selector"), old["spec"].get("selector"))


def check_daemon_set(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a DaemonSet."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    _check_selection(spec, "daemonset", causes)
    check_pod_template("spec.template", spec["template"], causes)
    _check_always(spec, "DaemonSet", causes)
    causes.one_of("spec.updateStrategy.type", spec["updateStrategy"]["type"], ("RollingUpdate", "OnDelete"))
    if old is not None:
        causes.unchanged("spec.selector", spec.get("selector"), old["spec"].get("selector"))


def check_replication_controller(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a ReplicationController."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    causes.not_negative("spec.replicas", spec["replicas"])
    if not spec.get("selector"):
        causes.required("spec.selector")
    if "template" not in spec:
        causes.required("spec.template")
        return
    labels = spec["template"]["metadata"].get("labels", {})
    if not selects({"matchLabels": spec.get("selector", {})}, labels):
        causes.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    check_pod_template("spec.template", spec["template"], causes)
    _check_always(spec, "ReplicationController", causes)


def check_stateful_set(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a StatefulSet."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    if spec["podManagementPolicy"] not in ("OrderedReady", "Parallel"):
        causes.invalid("spec.podManagementPolicy", spec["podManagementPolicy"], "must be 'OrderedReady' or 'Parallel'")
    strategy = spec["updateStrategy"]
    if strategy["type"] == "OnDelete":
        if "rollingUpdate" in strategy:
            causes.invalid(
                "spec.updateStrategy.rollingUpdate",
                strategy["rollingUpdate"],
                "only allowed for updateStrategy 'RollingUpdate'",
            )
    elif strategy["type"] == "RollingUpdate":
        causes.not_negative("spec.updateStrategy.rollingUpdate.partition", strategy["rollingUpdate"].get("partition"))
    else:
        causes.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'")
    for field, policy in spec["persistentVolumeClaimRetentionPolicy"].items():
        causes.one_of(f"spec.persistentVolumeClaimRetentionPolicy.{field}", policy, ("Retain", "Delete"))
    causes.not_negative("spec.replicas", spec["replicas"])
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    _check_selection(spec, "statefulset", causes)
    claims = spec.get("volumeClaimTemplates", ())
    if old is None or spec["template"] != old["spec"]["template"]:
        names = [claim["metadata"].get("name", "") for claim in claims]
        check_pod_template("spec.template", spec["template"], causes, claims=names)
    if old is None:
        for index, claim in enumerate(claims):
            check_claim_spec(f"spec.volumeClaimTemplates[{index}].spec", claim["spec"], causes)
        service = spec["serviceName"]
        if service:
            causes.each_invalid("spec.serviceName", service, formats.dns_label(service))
    _check_always(spec, "StatefulSet", causes)
    if old is not None and _fixed(spec) != _fixed(old["spec"]):
        causes.forbidden("spec", _STATEFUL_SET_FIXED)


def _fixed(spec: Object) -> Object:
    return {key: value for key, value in spec.items() if key not in _STATEFUL_SET_FREE}


def _check_job_spec(path: str, spec: Object, causes: Causes) -> None:
    for field in (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ):
        causes.not_negative(f"{path}.{field}", spec.get(field))
    mode = spec.get("completionMode", "NonIndexed")
    causes.one_of(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed" and "completions" not in spec:
        causes.required(f"{path}.completions", "when completion mode is Indexed")
    replacement = spec.get("podReplacementPolicy", "Failed")
    causes.one_of(f"{path}.podReplacementPolicy", replacement, ("Failed", "TerminatingOrFailed"))
    check_pod_template(f"{path}.template", spec["template"], causes)
    policy = spec["template"]["spec"]["restartPolicy"]
    causes.one_of(f"{path}.template.spec.restartPolicy", policy, ("OnFailure", "Never"))


CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
"""The label that a Job selects its pods by."""


def job_labels(metadata: Object) -> dict[str, str]:
    """The labels that a Job's pods must have."""
    uid, name = metadata.get("uid", ""), metadata.get("name", "")
    return {CONTROLLER_UID: uid, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name}


_JOB_FIXED = (
    "completions",
    "selector",
    "template",
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
)


def check_job(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a Job."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    _check_job_spec("spec", spec, causes)
    selector = spec.get("selector")
    if selector is not None:
        check_selector("spec.selector", selector, causes)
        labels = spec["template"]["metadata"].get("labels", {})
        if not selects(selector, labels):
            causes.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
        if not spec.get("manualSelector"):
            wanted = job_labels(obj["metadata"])
            for key, value in wanted.items():
                if labels.get(key) != value:
                    causes.invalid(f"spec.template.metadata.labels[{key}]", labels, f"must be '{value}'")
            if not selects(selector, wanted):
                causes.invalid("spec.selector", selector, "`selector` not auto-generated")
    elif spec.get("manualSelector") or old is not None:
        causes.required("spec.selector")
    if old is not None:
        for field in _JOB_FIXED:
            causes.unchanged(f"spec.{field}", spec.get(field), old["spec"].get(field))


def check_cron_job(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a CronJob."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    name = obj["metadata"].get("name", "")
    if old is None and len(name) > 52:
        causes.invalid("metadata.name", name, "must be no more than 52 characters")
    schedule = spec["schedule"]
    if not schedule:
        causes.required("spec.schedule")
    elif not schedule.startswith("@") and len(schedule.split()) != 5:
        causes.invalid(
            "spec.schedule", schedule, f"expected exactly 5 fields, found {len(schedule.split())}: {schedule.split()}"
        )
    causes.one_of("spec.concurrencyPolicy", spec["concurrencyPolicy"], ("Allow", "Forbid", "Replace"))
    for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        causes.not_negative(f"spec.{field}", spec.get(field))
    job = spec["jobTemplate"]["spec"]
    _check_job_spec("spec.jobTemplate.spec", job, causes)
    if "selector" in job:
        causes.invalid("spec.jobTemplate.spec.selector", job["selector"], "`selector` will be auto-generated")
