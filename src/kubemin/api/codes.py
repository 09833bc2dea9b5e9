"""Business codes of the envelope. A client may rely on the number; the sentence beside it is for a person."""

from enum import IntEnum


class ApiCode(IntEnum):
    """``SUCCESS`` is 0; below 1000 a code repeats the HTTP status, for errors that are nobody's business but HTTP's."""

    SUCCESS = 0

    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    REQUEST_TIMEOUT = 408
    CONFLICT = 409
    TOO_LARGE = 413
    UNSUPPORTED_MEDIA_TYPE = 415
    MISDIRECTED = 421
    TOO_MANY = 429
    INTERNAL = 500
    NOT_IMPLEMENTED = 501
    UNAVAILABLE = 503
    STORAGE_FULL = 507

    APPLICATION_CONFIG = 10000
    """The application is wrong."""
    IMAGE_NOT_SET = 10001
    """An image is missing."""
    APPLICATION_EXISTS = 10003
    """There is an application of this name in this namespace."""
    APPLICATION_NOT_FOUND = 10005
    """No such application."""
    REVISION_NOT_FOUND = 10006
    """No such revision, or it is not kept any more."""
    TEMPLATE = 10010
    """A template is wrong."""

    VALIDATION = 10020
    """Several different mistakes."""
    INVALID_NAME = 10021
    """A name is wrong."""
    INVALID_TRAIT = 10022
    """A trait is wrong."""
    MISSING_FIELD = 10023
    """A field that is needed is not given."""
    INVALID_STORAGE = 10024
    """A volume is wrong."""
    INVALID_PROBE = 10025
    """A probe is wrong."""
    NESTED_TRAIT = 10026
    """A trait where it may not be."""
    COMPONENT_REFERENCE = 10027
    """A component that does not exist."""
    DUPLICATE_COMPONENT = 10028
    """Two components of one name."""

    WORKFLOW_CONFIG = 20000
    """The workflow is wrong."""
    WORKFLOW_EXISTS = 20001
    """There is a workflow of this name."""
    WORKFLOW_NOT_FOUND = 20005
    """No such workflow, or another application's task."""
    TASK_NOT_FOUND = 20006
    """No such task."""
    TASK_ENDED = 20010
    """The task has ended as `failed` or `timeout` (409)."""
    TASK_ACTIVE = 20011
    """Another task of the application is active (409)."""
    SIGNAL_FAILED = 20012
    """The cancel is recorded, but the signal failed; the worker finds it in the database (502)."""
    PLAN_CHANGED = 20013
    """What was planned (`expects`) is not what would be run (409)."""

    CLUSTER_UNREACHABLE = 30001
    """The cluster cannot be reached (503)."""


OF_ISSUE = {
    "MISSING_REQUIRED_FIELD": ApiCode.MISSING_FIELD,
    "NAME_TOO_SHORT": ApiCode.INVALID_NAME,
    "NAME_TOO_LONG": ApiCode.INVALID_NAME,
    "INVALID_NAME_FORMAT": ApiCode.INVALID_NAME,
    "DUPLICATE_COMPONENT": ApiCode.DUPLICATE_COMPONENT,
    "INVALID_COMPONENT_TYPE": ApiCode.APPLICATION_CONFIG,
    "MISSING_IMAGE": ApiCode.IMAGE_NOT_SET,
    "INVALID_STORAGE_TYPE": ApiCode.INVALID_STORAGE,
    "INVALID_STORAGE_SIZE": ApiCode.INVALID_STORAGE,
    "INVALID_PROBE_TYPE": ApiCode.INVALID_PROBE,
    "INVALID_PROBE_CONFIG": ApiCode.INVALID_PROBE,
    "NESTED_TRAIT_FORBIDDEN": ApiCode.NESTED_TRAIT,
    "MISSING_RBAC_RULES": ApiCode.INVALID_TRAIT,
    "MISSING_RBAC_VERBS": ApiCode.INVALID_TRAIT,
    "MISSING_INGRESS_ROUTES": ApiCode.INVALID_TRAIT,
    "MISSING_SERVICE_NAME": ApiCode.INVALID_TRAIT,
    "INVALID_ENV_FROM_TYPE": ApiCode.INVALID_TRAIT,
    "INVALID_ENV_VALUE_SOURCE": ApiCode.INVALID_TRAIT,
    "INVALID_TRAIT_CONFIG": ApiCode.INVALID_TRAIT,
    "DUPLICATE_WORKFLOW_STEP": ApiCode.WORKFLOW_CONFIG,
    "COMPONENT_NOT_FOUND": ApiCode.COMPONENT_REFERENCE,
    "TEMPLATE_NOT_FOUND": ApiCode.TEMPLATE,
    "TOO_MANY_COMPONENTS": ApiCode.APPLICATION_CONFIG,
    "DUPLICATE_OBJECT": ApiCode.APPLICATION_CONFIG,
    "NOT_ALLOWED": ApiCode.APPLICATION_CONFIG,
}
"""The business code that a validation issue's code (``kubemin.spec.issues``) means."""
