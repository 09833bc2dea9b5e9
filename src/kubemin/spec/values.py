"""Checks of values that appear in several places: images, variables, labels, annotations."""

from collections.abc import Iterator, Mapping

from kubemin.spec import labels
from kubemin.spec.characters import has_unseen
from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import Limits, listed
from kubemin.spec.names import is_label_key, is_label_value, is_variable
from kubemin.spec.privileges import why_annotation_refused, why_label_refused

RESERVED_LABELS = frozenset(
    {
        labels.MANAGED_BY,
        labels.NAME,
        labels.PART_OF,
        labels.SHARE_NAME,
        labels.SHARE_STRATEGY,
        labels.CLI,
        labels.CLI_APP_ID,
        labels.CLI_COMPONENT_ID,
        labels.CLI_COMPONENT_NAME,
        # Kubernetes' own controllers tell their Pods apart by these.
        "pod-template-hash",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
    }
)
RESERVED_PREFIXES = ("kubemin.io/", "statefulset.kubernetes.io/", "batch.kubernetes.io/", "apps.kubernetes.io/")

MAX_ANNOTATIONS = 256 * 1024
MAX_IMAGE = 1024


def check_image(image: str, what: str, path: str) -> Iterator[Issue]:
    """A container needs an image that could be pulled."""
    if not image:
        yield Issue(path, IssueCode.MISSING_IMAGE, f"{what} needs an image.")
    elif len(image) > MAX_IMAGE or has_unseen(image) or any(character.isspace() for character in image):
        yield Issue(
            path,
            IssueCode.INVALID_FIELD_VALUE,
            f"{what} has an image name with blanks or control characters, or of over {MAX_IMAGE}.",
        )


def check_env(env: Mapping[str, str], what: str, path: str) -> Iterator[Issue]:
    """Names of environment variables."""
    for name in env:
        if not is_variable(name):
            yield Issue(
                f"{path}.{name}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what}: "{name}" cannot be the name of an environment variable.',
            )


def check_labels(given: Mapping[str, str], limits: Limits, what: str, path: str) -> Iterator[Issue]:
    """Labels of the user's own: valid, none that KubeMin or Kubernetes relies on, none that grants something."""
    for key, value in given.items():
        if not is_label_key(key):
            yield Issue(
                f"{path}.{key}", IssueCode.INVALID_NAME_FORMAT, f'{what}: "{key}" cannot be the key of a label.'
            )
        elif key in RESERVED_LABELS or key.startswith(RESERVED_PREFIXES):
            yield Issue(
                f"{path}.{key}",
                IssueCode.INVALID_FIELD_VALUE,
                f'{what}: the label "{key}" is set by KubeMin or Kubernetes.',
            )
        elif (why := why_label_refused(key)) and not listed(key, limits.allow_annotations):
            yield _not_allowed("label", key, why, what, f"{path}.{key}")
        if not is_label_value(value):
            yield Issue(
                f"{path}.{key}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what}: the value of label "{key}" must be at most 63 letters, digits, "-", "_" and ".", '
                "with a letter or digit at both ends.",
            )


def check_annotations(given: Mapping[str, str], context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """Annotations of the user's own: valid, and none that reaches beyond the application."""
    for key, value in given.items():
        if not is_label_key(key):
            yield Issue(
                f"{path}.{key}", IssueCode.INVALID_NAME_FORMAT, f'{what}: "{key}" cannot be the key of an annotation.'
            )
        elif key.startswith("kubemin.io/"):
            yield Issue(
                f"{path}.{key}", IssueCode.INVALID_FIELD_VALUE, f'{what}: the annotation "{key}" is KubeMin\'s own.'
            )
        elif not listed(key, context.limits.allow_annotations) and (
            why := why_annotation_refused(key, value, context.namespace)
        ):
            yield _not_allowed("annotation", key, why, what, f"{path}.{key}")
    if sum(len(key.encode()) + len(value.encode()) for key, value in given.items()) > MAX_ANNOTATIONS:
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what} has more than 256 KiB of annotations.")


def _not_allowed(kind: str, key: str, why: str, what: str, path: str) -> Issue:
    return Issue(
        path, IssueCode.NOT_ALLOWED, f'{what}: the {kind} "{key}" {why}; KUBEMIN_ALLOW_ANNOTATIONS does not allow it.'
    )
