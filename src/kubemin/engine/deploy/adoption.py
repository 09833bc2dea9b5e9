"""Whose an object is that is there before a run: this application's, or a stranger's, which must be adopted.

The label ``kubemin.io/app-id`` decides, and not who wrote the object: whoever applies the same file after the database
was lost goes on with the objects that are there. A stranger's object has no such label, or another application's.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.engine.errors import IsThere, JobFailed
from kubemin.engine.objects.ownership import application_of, controller_of, field_managers, is_strangers
from kubemin.plan import Job
from kubemin.spec.labels import APP_ID, MANAGED_BY, PART_OF, SHARE_NAME
from kubemin.spec.limits import listed
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode

Admit = Callable[[Manifest], Awaitable[str]]
"""Takes an object that is there. Returns who manages it, if the write adopts it, and an empty text if it is not a
stranger's. Raises `JobFailed` if it may not be written."""

_ANOTHER_NAME = "give the component another objectName"
_ADVICE = f"pass adopt: true (--adopt) to take it over, or {_ANOTHER_NAME}"
_RIGHTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
_NAMED = 5
_LONGEST = 80


@dataclass(frozen=True)
class Adoption:
    """Which strangers' objects a run may take over."""

    application_name: Callable[[str], Awaitable[str | None]]
    """The name of an application, by its id; None if the database does not know it."""
    default: bool = False
    """Whether the jobs adopt whose component does not say."""
    rbac_names: str = ""
    """Accounts, roles and bindings of strangers that may be taken over all the same, as `listed` reads it."""

    def of(self, job: Job) -> Admit:
        """What decides about an object that is there in the place of the job's."""
        adopt = self.default if job.adopt is None else job.adopt

        async def admit(live: Manifest) -> str:
            return await self._admit(job.manifest, live, adopt=adopt)

        return admit

    async def _admit(self, manifest: Manifest, live: Manifest, *, adopt: bool) -> str:
        owner = application_of(live)
        if not is_strangers(live, manifest) or (_share_name(manifest) and _share_name(manifest) == _share_name(live)):
            return ""
        ref = ObjectRef.of(live)
        name = await self.application_name(owner) if owner else None
        if name is not None:
            raise JobFailed(
                f"{ref} belongs to another application ({name}, id {owner}), which is never taken from: "
                f"{_ANOTHER_NAME}, or remove the object from that application first",
                ReasonCode.CONFLICT,
            )
        managed = managed_by(live)
        if controller_of(live) is not None:
            raise JobFailed(
                f"{ref} is there already, {managed}: what has a controller is never taken over, {_ANOTHER_NAME}",
                ReasonCode.CONFLICT,
            )
        if not adopt:
            raise JobFailed(
                f"{ref} is there already and is not this application's, {managed}: {_ADVICE}", ReasonCode.CONFLICT
            )
        if owner is None and ref.kind in _RIGHTS and not listed(ref.name, self.rbac_names):
            raise JobFailed(
                f"{ref} is there already, {managed}: the application would get the rights that it has; "
                "KUBEMIN_ALLOW_RBAC_NAMES does not allow it, rename it in the rbac trait",
                ReasonCode.CONFLICT,
            )
        return managed


def left_as_it_is(manifest: Manifest, live: Manifest) -> IsThere:
    """What is said of an object that is only made where there is none, and is there."""
    if application_of(live) in (None, application_of(manifest)):
        return IsThere()
    return IsThere(f"another application has made it, whose data it may hold: {managed_by(live)}")


def managed_by(live: Manifest) -> str:
    """Who manages an object, for people: its controller, its labels, the managers of its fields."""
    labels = _labels(live)
    found: list[str] = []
    if controller := controller_of(live):
        found.append(f"controlled by {_short(controller)}")
    if tool := labels.get(MANAGED_BY):
        found.append(f"labelled as managed by {_short(tool)}")
    if owner := labels.get(APP_ID):
        name = labels.get(PART_OF)
        what = f"application {_short(name)} (id {_short(owner)})" if name else f"application {_short(owner)}"
        found.append(f"labelled as part of {what}, which this server does not know")
    if managers := field_managers(live):
        more = f" and {len(managers) - _NAMED} more" if len(managers) > _NAMED else ""
        found.append(f"its fields are set by {', '.join(_short(one) for one in managers[:_NAMED])}{more}")
    return ", ".join(found) or "managed by nobody who left a name"


def _share_name(obj: Manifest) -> Any:
    return _labels(obj).get(SHARE_NAME)


def _labels(obj: Manifest) -> Mapping[str, Any]:
    return obj["metadata"].get("labels") or {}


def _short(text: object) -> str:
    return str(text)[:_LONGEST]
