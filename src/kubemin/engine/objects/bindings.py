"""Bindings and their roles (traps 31). Pure.

An account without the ``bind`` verb may write a binding only while its role is there, and holds no right that the
account lacks; and the authorizer may know of a new role a moment late.
"""

from kubemin.cluster.errors import ClusterError, Forbidden, NotFound
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest, ObjectRef

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_GRANTS = "is attempting to grant RBAC permissions not currently held"


def lacking_role(manifest: Manifest, error: BaseException | None) -> ObjectRef | None:
    """The role of a binding, if that is what the API server refuses to write the binding for; else None.

    404 says that the role, not the binding, is absent; 403 that it holds what the account may not do.
    """
    if not isinstance(error, ClusterError) or kind_name(manifest) not in _BINDINGS:
        return None
    kind, name = manifest["roleRef"]["kind"], manifest["roleRef"]["name"]
    absent = isinstance(error, NotFound) and error.about == f"{kind_of(kind).plural}/{name}"
    if not absent and not (isinstance(error, Forbidden) and _GRANTS in error.message):
        return None
    return ObjectRef(kind, ObjectRef.of(manifest).namespace if kind == "Role" else "", name)
