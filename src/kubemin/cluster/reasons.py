"""What kind of refusal an error of the API server is. One status (403, mostly) stands for several.

Only the text tells rights, quota and policy apart: the API server has no field for it. The phrases are those of its
authorizer and of its admission plugins; controllers repeat them in conditions and events. Pure.
"""

import re
from collections.abc import Sequence

from kubemin.cluster import errors
from kubemin.spec.reason_codes import ReasonCode

_PHRASES: Sequence[tuple[ReasonCode, str]] = (
    (ReasonCode.POLICY, r"denied (the )?request|violates PodSecurity|failed calling webhook"),
    (ReasonCode.RIGHTS, r"[Uu]ser \"[^\"]*\" cannot |attempting to grant RBAC|is not allowed to set blockOwnerDel"),
    (
        ReasonCode.QUOTA,
        r"exceeded quota|failed quota|status unknown for quota|insufficient quota"
        r"|(maximum|minimum) \S+ usage per |limit to request ratio per ",
    ),
    (
        ReasonCode.CONFIG_MISSING,
        r"error looking up service ?account|service ?account \S+ (was )?not found|no PriorityClass with name"
        r"|RuntimeClass \S+ not found|(cluster)?roles?\.rbac\.authorization\.k8s\.io \S+ not found",
    ),
    (ReasonCode.VOLUME, r"only dynamically provisioned pvc|persistentvolumeclaims? \S+ not found"),
    (ReasonCode.NAMESPACE, r"because it is being terminated|namespaces \"[^\"]*\" not found"),
)
_COMPILED = tuple((code, re.compile(phrase)) for code, phrase in _PHRASES)

_BY_TYPE: Sequence[tuple[type[errors.ClusterError], ReasonCode]] = (
    (errors.NamespaceTerminating, ReasonCode.NAMESPACE),
    (errors.Unauthorized, ReasonCode.RIGHTS),
    (errors.NotImpersonated, ReasonCode.RIGHTS),
    (errors.Conflict, ReasonCode.CONFLICT),
    (errors.AlreadyExists, ReasonCode.CONFLICT),
    (errors.Terminating, ReasonCode.CONFLICT),
    (errors.Forbidden, ReasonCode.POLICY),  # by an admission plugin without a phrase of its own
    (errors.Invalid, ReasonCode.INVALID),
    (errors.NotFound, ReasonCode.INVALID),
)


_TOLD_BY_TEXT = (errors.Forbidden, errors.Invalid, errors.NotFound, errors.ServerError, errors.Unanswered)


def code_of_text(message: str) -> ReasonCode | None:
    """The kind of refusal that a message of the API server, or of a controller that quotes it, tells of."""
    return next((code for code, phrase in _COMPILED if phrase.search(message)), None)


def code_of(error: errors.ClusterError) -> ReasonCode:
    """The kind of failure that an error is."""
    by_type = next((code for kind, code in _BY_TYPE if isinstance(error, kind)), ReasonCode.UNREACHABLE)
    if isinstance(error, _TOLD_BY_TEXT):
        return code_of_text(error.message) or by_type
    return by_type
