"""What each route needs, and whether whoever asks has it. A route that says nothing answers nobody."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Any, NamedTuple, TypeVar

import structlog
from fastapi import Depends, Request

from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps, given, principal_of
from kubemin.api.envelope import ApiError, FieldError
from kubemin.api.lookups import application_named, application_of, task_named, task_of
from kubemin.api.once import removal_by_key
from kubemin.engine.entry.admission import Admit
from kubemin.engine.errors import AppNotFound, TaskNotFound
from kubemin.identity.grants import Role, Target, in_cluster
from kubemin.identity.principal import Principal
from kubemin.spec.acting import Asker
from kubemin.spec.application import Application
from kubemin.spec.characters import visible
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.reach import WHOLE_CLUSTER, Reach, reach_of
from kubemin.spec.scope import Scope
from kubemin.store.applications import ApplicationRow
from kubemin.store.tasks import Task

log = structlog.get_logger(__name__)

Handler = TypeVar("Handler", bound=Callable[..., Any])

_NEEDS = "kubemin_needs"
_ACCESS = "kubemin.access"


class About(Enum):
    """For what a route needs its role."""

    OPEN = "for nothing: it answers everybody"
    ANYBODY = "for nothing: whoever says who they are"
    APPLICATION = "for the application in the address"
    TASK = "for the application of the task in the address"
    WRITTEN = "for the application in the body, as it is and as it is written"
    SEEN = "for something: it shows what the caller may see"
    CLUSTER = "for everything in the cluster that it asks about"
    EVERYTHING = "for everything"


class Needs(NamedTuple):
    """What a route declares."""

    about: About
    role: Role | None = None


def needs(about: About, role: Role | None = None) -> Callable[[Handler], Handler]:
    """Declare it, beside the route's address."""

    def declare(handler: Handler) -> Handler:
        setattr(handler, _NEEDS, Needs(about, role))
        return handler

    return declare


def needs_of(endpoint: Any) -> Needs | None:
    """What a route's handler declares."""
    found = getattr(endpoint, _NEEDS, None)
    return found if isinstance(found, Needs) else None


@dataclass(frozen=True)
class Access:
    """Whoever asks, with the role that the route needs, and the application in the address, if there is one.

    Who may see everything has no ``target``: it is not looked up.
    """

    principal: Principal
    role: Role
    target: Target | None = None

    @property
    def sight(self) -> Collection[Scope] | None:
        """What they may see; None is everything."""
        return self.principal.sight()

    @property
    def asker(self) -> Asker:
        """Who they are to the clusters: themselves, also where they name another as the ``user``."""
        return Asker(self.principal.name, self.principal.groups)

    @property
    def stream_owner(self) -> str | None:
        """Whose an event stream is; None where nobody has to say who they are."""
        return None if self.principal.how == "none" else self.principal.name

    @property
    def admit(self) -> Admit | None:
        """What the engine asks whether they may do; None where they may do everything."""
        return None if self.principal.allows_all(self.role) else self.check

    def check(self, reach: Reach) -> None:
        """Raise 403 unless they have the route's role for the application, in every namespace that it reaches."""
        own = Target(reach.cluster, reach.namespace, reach.project, reach.name)
        for target in (own, *(own._replace(namespace=one) for one in sorted(reach.namespaces))):
            if not self.principal.allows(self.role, target):
                raise _forbidden(self.principal, self.role, target)

    def check_written(self, application: Application, stored: ApplicationRow | None = None) -> None:
        """The same of an application as it is written, and of its project as it is stored."""
        if self.principal.allows_all(self.role):
            return
        reach = reach_of(application)
        self.check(reach)
        if stored is not None:
            self.check(reach._replace(project=stored.project))

    def check_stored(self, row: ApplicationRow) -> None:
        """The same of an application as it is stored, in its own namespace."""
        self.check(Reach(row.cluster, row.namespace, row.project, row.name, frozenset()))

    def check_hidden(self, application: Application, row: ApplicationRow) -> None:
        """Raise 403 where an application of the name may be written, and not seen which one has it.

        The words are those of `/apply`, which has to refuse it, too. Whoever may only look is told as of a free name.
        """
        own = Target(application.cluster, application.namespace, application.project or "", application.name)
        if self.principal.allows(Role.DEPLOYER, own):
            replace(self, role=Role.DEPLOYER).check_stored(row)

    def sees(self, row: ApplicationRow) -> bool:
        """Whether they may know that there is this application."""
        return self.principal.allows(Role.VIEWER, _target_of(row))

    def sees_cluster(self, name: str) -> bool:
        """Whether they may see something of this cluster."""
        return self.principal.allows_some_of(Role.VIEWER, name)

    def sees_all_of(self, cluster: str) -> bool:
        """Whether they may see everything of this cluster."""
        return self.principal.allows_all_of(Role.VIEWER, cluster)

    def runs_in(self, application: Application, namespace: str) -> bool:
        """Whether they may run the application with objects in this namespace: then they may learn what is there.

        Of what is in no namespace, whoever may see the application.
        """
        place = Target(application.cluster, namespace, application.project or "", application.name)
        return not namespace or self.principal.allows(Role.DEPLOYER, place)

    def check_cluster(self, name: object) -> None:
        """Raise 403 unless they have the route's role for something there: nobody has a cluster asked for nothing.

        What is no text is refused when it is read.
        """
        if isinstance(name, str) and not self.principal.allows_some_of(self.role, name):
            raise _forbidden(self.principal, self.role, f"for something in cluster {visible(name)[:100]}")

    def user(self, named: str | None, field: str = "user") -> str:
        """In whose name it is done: the caller's own. Naming another is an admin's right; else raises 403."""
        own = self.principal.name
        if not named or named == own:
            return own
        target = self.target
        may = self.principal.allows_all(Role.ADMIN) or (
            target is not None and self.principal.allows(Role.ADMIN, target)
        )
        if may:
            return named
        message = f"{field} names another than you ({own}): that needs the role admin. Leave it out."
        wrong = FieldError(field=field, code="NOT_YOURS", message=message)
        raise ApiError(403, ApiCode.FORBIDDEN, message, errors=[wrong])


async def authorize(request: Request) -> None:
    """A dependency of every route. Raises 401, 403, or 404 of what the caller may not even see."""
    wanted = needs_of(request.scope["endpoint"])
    if wanted is None:
        raise ApiError(403, ApiCode.FORBIDDEN, "Nobody may use this address: it does not say what it needs.")
    principal = principal_of(request.scope)
    if wanted.about is About.OPEN:
        return
    if principal is None:
        raise unauthorized(given(request))
    role = wanted.role or Role.VIEWER
    target = None
    if not principal.allows_all(role) and wanted.about is not About.ANYBODY:
        target = await _target(request, principal, wanted.about, role)
    request.scope[_ACCESS] = Access(principal, role, target)


async def _target(request: Request, principal: Principal, about: About, role: Role) -> Target | None:
    """The application that the route is about. Raises 403, 404."""
    if about is About.EVERYTHING:
        raise _forbidden(principal, role, None)
    if about is About.CLUSTER:
        for name in request.query_params.getlist("cluster") or [DEFAULT_CLUSTER]:
            if not principal.allows_all_of(role, name):
                raise _forbidden(principal, role, f"for everything in cluster {visible(name)[:100]}")
        return None
    if about in (About.SEEN, About.WRITTEN):
        if not principal.has(role):
            raise _forbidden(principal, role, None)
        return None
    deps, names = given(request), request.path_params
    target = await (
        _application(request, principal, names["app_id"])
        if about is About.APPLICATION
        else _task(deps, principal, names["task_id"])
    )
    if not principal.allows(role, target):
        raise _forbidden(principal, role, target)
    return target


async def _application(request: Request, principal: Principal, named: str) -> Target:
    async with given(request).db.read(urgent=True) as tx:  # a cancel goes this way
        try:
            row = await application_of(tx, await application_named(tx, named, principal.sight()))
        except AppNotFound:
            removal = await removal_by_key(tx, request, principal.name, named)
            if removal is None:
                raise
            target = _target_of_task(removal)
        else:
            target = _target_of(row)
    if not principal.allows(Role.VIEWER, target):
        raise AppNotFound(named)
    return target


async def _task(deps: Deps, principal: Principal, named: str) -> Target:
    async with deps.db.read(urgent=True) as tx:
        task_id = await task_named(tx, named, principal.sight())
        task = await task_of(tx, task_id)
        target = _target_of_task(task)
    if not principal.allows(Role.VIEWER, target):
        raise TaskNotFound(task_id)
    return target


def _target_of(row: ApplicationRow) -> Target:
    return Target(row.cluster, row.namespace, row.project, row.name)


def _target_of_task(task: Task) -> Target:
    return Target(task.cluster, task.namespace, task.project, task.app_name)


async def _access(request: Request) -> Access:
    found = request.scope[_ACCESS]
    assert isinstance(found, Access)
    return found


Asked = Annotated[Access, Depends(_access)]
"""A handler's parameter: whoever asks, and what they may."""


def unauthorized(deps: Deps, message: str = "", code: str = "NO_CREDENTIAL") -> ApiError:
    """401, with the ways to say who one is."""
    message = message or (
        "Say who you are: by an API token or a token of the issuer (Authorization: Bearer …), or by logging in. "
        "GET /auth/ways tells which ways there are."
    )
    wrong = FieldError(field="Authorization", code=code, message=message)
    headers = {
        "WWW-Authenticate": 'Bearer realm="kubemin"' + ("" if code == "NO_CREDENTIAL" else ', error="invalid_token"')
    }
    return ApiError(401, ApiCode.UNAUTHORIZED, message, errors=[wrong], headers=headers)


def _forbidden(principal: Principal, role: Role, target: Target | str | None) -> ApiError:
    log.info(
        "forbidden",
        caller=principal.name,
        how=principal.how,
        role=role.value,
        application=target.application if isinstance(target, Target) else None,
        namespace=target.namespace if isinstance(target, Target) else None,
        cluster=target.cluster if isinstance(target, Target) else None,
    )
    if target is None:
        has = ", ".join(sorted({one.role.value for one in principal.grants})) or "no role"
        where, has = "for everything", f"{has}, and not for everything"
        if not principal.has(role):
            where, has = "for something", f"{has.partition(',')[0]} only" if principal.grants else "no role"
    elif isinstance(target, str):
        where, has = target, "it not"
    elif target.namespace == WHOLE_CLUSTER:
        every = f"in every namespace{in_cluster(target.cluster)}"
        where = f"for application {target.application} {every}, as it has objects of the whole cluster"
        has = "it not"
    else:
        best = principal.best(target)
        # Who may not see it does not learn in which project it is.
        where = f"for {target if best else target.without_project()}"
        has = f"only {best.value} there" if best else "no role there"
    return ApiError(403, ApiCode.FORBIDDEN, f"This needs the role {role.value} {where}; {principal.name} has {has}.")
