"""What kind of refusal a message tells of: messages as the API server, its plugins and its controllers write them."""

import pytest

from kubemin.cluster import errors
from kubemin.cluster.reasons import code_of, code_of_text
from kubemin.spec.reason_codes import ReasonCode

FORBIDDEN: list[tuple[str, ReasonCode]] = [
    (
        'deployments.apps is forbidden: User "system:serviceaccount:kubemin:kubemin" cannot create resource '
        '"deployments" in API group "apps" in the namespace "shop"',
        ReasonCode.RIGHTS,
    ),
    (
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "system:serviceaccount:kubemin:kubemin" '
        '(groups=["system:serviceaccounts"]) is attempting to grant RBAC permissions not currently held:\n{…}',
        ReasonCode.RIGHTS,
    ),
    (
        'pods "web" is forbidden: exceeded quota: full, requested: pods=1, used: pods=2, limited: pods=2',
        ReasonCode.QUOTA,
    ),
    ('pods "web" is forbidden: failed quota: full: must specify limits.cpu for: web', ReasonCode.QUOTA),
    ('pods "web" is forbidden: maximum cpu usage per Container is 1, but limit is 2', ReasonCode.QUOTA),
    ('pods "web" is forbidden: minimum memory usage per Pod is 1Gi, but request is 1Mi', ReasonCode.QUOTA),
    ('pods "web" is forbidden: cpu max limit to request ratio per Container is 2, but', ReasonCode.QUOTA),
    ('pods "web" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', ReasonCode.POLICY),
    ('admission webhook "validate.gatekeeper.sh" denied the request: [no-latest] tag', ReasonCode.POLICY),
    ("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", ReasonCode.POLICY),
    ('pods "web" is forbidden: something new', ReasonCode.POLICY),
    (
        'pods "web" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found',
        ReasonCode.CONFIG_MISSING,
    ),
    ('pods "web" is forbidden: no PriorityClass with name high was found', ReasonCode.CONFIG_MISSING),
    (
        'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the '
        "storageclass that provisions the pvc must support resize",
        ReasonCode.VOLUME,
    ),
]


@pytest.mark.parametrize(("message", "code"), FORBIDDEN)
def test_one_status_stands_for_several_refusals(message: str, code: ReasonCode) -> None:
    assert code_of(errors.Forbidden(f"Cannot create Pod/shop/web: {message}.", status=403)) is code
    quoted = errors.Invalid(message) if code is ReasonCode.POLICY and "denied" in message else None
    assert quoted is None or code_of(quoted) is code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NamespaceTerminating("x"), ReasonCode.NAMESPACE),
        (errors.NotFound('namespaces "shop" not found', status=404), ReasonCode.NAMESPACE),
        (
            errors.NotFound('rolebindings… "web": roles.rbac.authorization.k8s.io "r" not found', status=404),
            ReasonCode.CONFIG_MISSING,
        ),
        (errors.NotFound("the server could not find the requested resource", status=404), ReasonCode.INVALID),
        (errors.Invalid("spec.replicas: Invalid value"), ReasonCode.INVALID),
        (errors.Unauthorized("x"), ReasonCode.RIGHTS),
        (errors.Conflict("x"), ReasonCode.CONFLICT),
        (errors.Unreachable("x"), ReasonCode.UNREACHABLE),
        (errors.ServerError('failed calling webhook "w": connection refused'), ReasonCode.POLICY),
        (errors.ServerError("etcdserver: leader changed"), ReasonCode.UNREACHABLE),
        (errors.Throttled("x"), ReasonCode.UNREACHABLE),
    ],
)
def test_each_error_has_a_code(error: errors.ClusterError, code: ReasonCode) -> None:
    assert code_of(error) is code


@pytest.mark.timeout(30)  # what grows with the square of a message takes minutes
@pytest.mark.parametrize("part", ['User "x" ', "service account ", "maximum x usage ", 'namespaces "'])
def test_a_long_message_is_read_once(part: str) -> None:
    """Messages quote values that users chose."""
    assert code_of_text(part * (400_000 // len(part))) is None
