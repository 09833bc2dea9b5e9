"""Types of components: what each has, and how its Pods can be replaced."""

from kubemin.spec.states import Way

WEBSERVICE, STORE, CONFIG, SECRET, JOB = "webservice", "store", "config", "secret", "job"
CRONJOB, DAEMON, MANIFESTS = "cronjob", "daemon", "manifests"
SERVING = (WEBSERVICE, STORE, DAEMON)
"""The types whose Pods run on: with ports they have a Service, and their Pods can start again."""
REPLICATED = (WEBSERVICE, STORE)
"""The types that say how many Pods they have."""
RUNS = (JOB, CRONJOB)
"""The types whose Pods come to an end."""
WORKLOADS = (*SERVING, *RUNS)
"""The types that run containers."""
COMPONENT_TYPES = (WEBSERVICE, STORE, DAEMON, JOB, CRONJOB, CONFIG, SECRET, MANIFESTS)
MAIN_KINDS = {
    WEBSERVICE: "Deployment",
    STORE: "StatefulSet",
    DAEMON: "DaemonSet",
    JOB: "Job",
    CRONJOB: "CronJob",
    CONFIG: "ConfigMap",
    SECRET: "Secret",
}
"""By type: the kind of the object that ``objectName`` names."""

WAYS = {WEBSERVICE: tuple(Way), STORE: (Way.ROLLING, Way.RECREATE)}
"""By type: how Pods can be replaced; those of other types never are."""
BESIDE = (Way.CANARY, Way.BLUE_GREEN)
"""The ways with Pods of both versions side by side."""
