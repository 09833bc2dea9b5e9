"""Why a task or a job failed: a code for programs, each with one sentence for the person who must act."""

from enum import StrEnum


class ReasonCode(StrEnum):
    """What was in the way. The reason beside it says it in words."""

    IMAGE_PULL = "IMAGE_PULL"
    """An image cannot be pulled."""
    CRASH_LOOP = "CRASH_LOOP"
    """A container ends again and again, or cannot be started."""
    UNSCHEDULABLE = "UNSCHEDULABLE"
    """No node takes a Pod."""
    QUOTA = "QUOTA"
    """A ResourceQuota or a LimitRange refuses it."""
    POLICY = "POLICY"
    """An admission policy or webhook, or Pod security, refuses it."""
    CONFIG_MISSING = "CONFIG_MISSING"
    """Something that it refers to is not there."""
    FETCH = "FETCH"
    """`config.url` cannot be fetched."""
    VOLUME = "VOLUME"
    """A volume claim is missing, is not bound, or cannot grow."""
    JOB_FAILED = "JOB_FAILED"
    """A Job has failed."""
    STALLED = "STALLED"
    """An object's status says that it has failed for good, as its readiness rule, or its kind's, reads it."""
    DEADLINE = "DEADLINE"
    """The object's own deadline (`progressDeadlineSeconds`, `activeDeadlineSeconds`) is over."""
    TIMEOUT = "TIMEOUT"
    """The time of the task, or of a job, is over."""
    NO_ACTIVITY = "NO_ACTIVITY"
    """Nothing moved for `noActivitySeconds`."""
    RIGHTS = "RIGHTS"
    """KubeMin's account, or the caller who is acted as, lacks a right; or its credentials are refused."""
    CONFLICT = "CONFLICT"
    """It is another's, or others changed or deleted it meanwhile."""
    PLAN_CHANGED = "PLAN_CHANGED"
    """Since the plan was made (`expects`), an object or the deployed revision has changed."""
    INVALID = "INVALID"
    """The API server, or KubeMin, does not take it as it is."""
    NAMESPACE = "NAMESPACE"
    """The namespace is not there, or is being deleted."""
    UNREACHABLE = "UNREACHABLE"
    """The API server does not answer."""
    WORKER_LOST = "WORKER_LOST"
    """Its workers died, `KUBEMIN_MAX_ATTEMPTS` times."""
    UNREADABLE = "UNREADABLE"
    """What the database holds of it cannot be opened: a key is missing, or it was changed there."""
    INTERNAL = "INTERNAL"
    """A fault of KubeMin."""

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE[self]


_ADVICE = {
    ReasonCode.IMAGE_PULL: "Check the image's name and tag, and that the nodes may pull it (imagePullSecrets).",
    ReasonCode.CRASH_LOOP: "Read the container's log; mend its command, its configuration or its image.",
    ReasonCode.UNSCHEDULABLE: "No node takes the Pod: ask for less, add nodes, or change selectors and tolerations.",
    ReasonCode.QUOTA: "Ask for less, or have the namespace's ResourceQuota or LimitRange raised.",
    ReasonCode.POLICY: "Change what the policy or the admission webhook names, or ask those who maintain it.",
    ReasonCode.CONFIG_MISSING: "Create what is named (ConfigMap, Secret, key, account, role), or correct its name.",
    ReasonCode.FETCH: "Check that config.url answers with 200 and text, from where the worker runs.",
    ReasonCode.VOLUME: "Check the volume claim: its class, its size, and that a volume can be made for it.",
    ReasonCode.JOB_FAILED: "Read the log of the Job's Pods; mend its command, or allow more tries.",
    ReasonCode.STALLED: "Read the object's status and its controller's log; mend the object, or its readiness rule.",
    ReasonCode.DEADLINE: "Raise the object's own deadline, or find out in the evidence why it took so long.",
    ReasonCode.TIMEOUT: "The reason says what it waited for; give it more time if it is only slow.",
    ReasonCode.NO_ACTIVITY: "The reason says what it waited for; raise noActivitySeconds if such a pause is usual.",
    ReasonCode.RIGHTS: "Give whoever is named the right (KubeMin's account: deploy/rbac.yaml), or valid credentials.",
    ReasonCode.CONFLICT: "Choose another name, or settle with whoever owns or changed the object.",
    ReasonCode.PLAN_CHANGED: "Make a new plan and read it: what it was made of has changed since.",
    ReasonCode.INVALID: "Change the field or the object that the reason names: it cannot be as the application says.",
    ReasonCode.NAMESPACE: "Create the namespace (createNamespace does), or wait until its deletion is over.",
    ReasonCode.UNREACHABLE: "Check the API server and the way to it, then run it again.",
    ReasonCode.WORKER_LOST: "Look at the workers: they died while they ran this task (memory, node).",
    ReasonCode.UNREADABLE: "Give the workers the key that is named, or restore the database; then run it again.",
    ReasonCode.INTERNAL: "This is a fault of KubeMin: report it, with the worker's log.",
}


def advice_for(code: str | None) -> str | None:
    """The advice for a stored code; None without a code, or for one of a later version."""
    return ReasonCode(code).advice if code is not None and code in ReasonCode.__members__ else None
