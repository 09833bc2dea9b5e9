"""Checks of values that appear in several places: images, variables, labels, annotations."""

from collections.abc import Iterator, Mapping

from kubemin.spec import labels
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.names import is_label_key, is_label_value, is_variable

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
    elif len(image) > MAX_IMAGE or any(character.isspace() for character in image):
        yield Issue(
            path, IssueCode.INVALID_FIELD_VALUE, f"{what} has an image name with blanks, or of over {MAX_IMAGE}."
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


def check_labels(given: Mapping[str, str], what: str, path: str) -> Iterator[Issue]:
    """Labels of the user's own: valid, and none that KubeMin or Kubernetes relies on."""
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
        if not is_label_value(value):
            yield Issue(
                f"{path}.{key}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what}: the value of label "{key}" must be at most 63 letters, digits, "-", "_" and ".", '
                "with a letter or digit at both ends.",
            )


def check_annotations(given: Mapping[str, str], what: str, path: str) -> Iterator[Issue]:
    """Annotations of the user's own."""
    for key in given:
        if not is_label_key(key):
            yield Issue(
                f"{path}.{key}", IssueCode.INVALID_NAME_FORMAT, f'{what}: "{key}" cannot be the key of an annotation.'
            )
        elif key.startswith("kubemin.io/"):
            yield Issue(
                f"{path}.{key}", IssueCode.INVALID_FIELD_VALUE, f'{what}: the annotation "{key}" is KubeMin\'s own.'
            )
    if sum(len(key.encode()) + len(value.encode()) for key, value in given.items()) > MAX_ANNOTATIONS:
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what} has more than 256 KiB of annotations.")
