"""Labels and annotations that KubeMin puts on objects. Labels find; only write tokens decide (design R2)."""

MANAGER = "kubemin"
"""Field manager of every write."""

MANAGED_BY = "app.kubernetes.io/managed-by"
NAME = "app.kubernetes.io/name"
PART_OF = "app.kubernetes.io/part-of"
APP_ID = "kubemin.io/app-id"
COMPONENT_ID = "kubemin.io/component-id"
TASK_ID = "kubemin.io/task-id"
"""Id of the task that created the object. On the object only, never in a selector or a pod template."""

WRITE_TOKEN = "kubemin.io/write-token"  # noqa: S105  the name of an annotation
"""Annotation: the token of the request that wrote the object last."""

FENCE = "kubemin.io/fence"
"""Annotation, set and taken off again: it moves the version past an unanswered request (design R4)."""

CONFIG_DIGEST = "kubemin.io/config-digest"
"""Annotation of Pod templates: changes with the application's configuration that the Pods read."""

RESTARTED_AT = "kubemin.io/restarted-at"
"""Annotation of Pod templates: when somebody asked for their Pods to start again."""

SENSITIVE_ENV = "kubemin.io/sensitive-env"
"""Annotation of Pod templates: which of their variables are said to hold secrets (`spec.sensitive`)."""

TRACK = "kubemin.io/track"
"""Of the Deployments, and their Pods, that are there beside a component's own while its Pods are replaced."""

RELEASED_FROM = "kubemin.io/released-from"
"""Annotation of a Pod: the Deployment that it was taken out of. It serves until another is ready, and then goes."""

READY = "kubemin.io/ready"
"""Annotation of an object of the type manifests: an expression that says when it is ready."""

FAILED = "kubemin.io/failed"
"""The same: an expression that says that it never will be."""

PRIORITY = "kubemin.io/priority"
"""Annotation of such an object: its place in the order, in place of its kind's."""

SAID_BY_AUTHORS = frozenset({READY, FAILED, PRIORITY})
"""Those of KubeMin's annotations that people write."""

SHARE_NAME = "kubemin-share-name"
SHARE_STRATEGY = "kubemin-share-strategy"

CLI = "kube-min-cli"
CLI_APP_ID = "kube-min-cli-appId"
CLI_COMPONENT_ID = "kube-min-cli-componentId"
CLI_COMPONENT_NAME = "kube-min-cli-componentName"

LABELS = frozenset(
    {
        MANAGED_BY,
        NAME,
        PART_OF,
        APP_ID,
        COMPONENT_ID,
        TASK_ID,
        SHARE_NAME,
        SHARE_STRATEGY,
        CLI,
        CLI_APP_ID,
        CLI_COMPONENT_ID,
        CLI_COMPONENT_NAME,
    }
)
"""The labels with which KubeMin says whose an object is; all others are content."""

WELL_KNOWN = frozenset({MANAGED_BY, NAME, PART_OF})
"""Those of them that others use too."""

ANNOTATIONS = "kubemin.io/"
"""What the names of KubeMin's annotations begin with."""

OF_CLAIM_TEMPLATES = frozenset({MANAGED_BY, APP_ID, COMPONENT_ID})
"""Those of the labels that the volume claim templates of a StatefulSet of `manifests` get when it is made."""
