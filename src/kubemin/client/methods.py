"""The methods of a client, declared once: on `Client` each returns its data, on `AsyncClient` it is awaited."""

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from kubemin.client import flows
from kubemin.client.calls import applications as of_applications
from kubemin.client.calls import identity as of_identity
from kubemin.client.calls import runs as of_runs
from kubemin.client.calls import server as of_server
from kubemin.client.calls import tasks as of_tasks
from kubemin.client.steps import Flow

if TYPE_CHECKING:
    from kubemin.client.aio import AsyncClient
    from kubemin.client.sync import Client

P = ParamSpec("P")
T = TypeVar("T")


class Method(Generic[P, T]):
    """A function that makes a request, or a flow of several, as a method of both clients."""

    def __init__(self, build: Callable[P, Flow[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, client: None, owner: Any) -> "Method[P, T]": ...
    @overload
    def __get__(self, client: "Client", owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: Any) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: Any) -> Any:
        if client is None:
            return self

        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.do(self._build(*args, **kwargs))

        return update_wrapper(method, self._build)


class Methods:
    """What a client can ask for. The data are the server's, typed in `kubemin.client.replies`.

    Each raises `KubeminError`: `ServerLost` where no server answers, `Busy` where it can do nothing just now, `Refused`
    with the server's code, and `NotKubemin`.
    """

    applications = Method(of_applications.applications)
    templates = Method(of_applications.templates)
    application = Method(of_applications.application)
    components = Method(of_applications.components)
    save = Method(of_applications.save)
    check = Method(of_applications.check)
    read = Method(of_applications.read)
    plan = Method(of_applications.plan)
    delete = Method(flows.delete)
    preview_delete = Method(of_applications.preview_delete)
    delete_resources = Method(flows.delete_resources)
    logs = Method(of_applications.logs)
    make_version = Method(flows.make_version)
    workflows = Method(of_applications.workflows)
    create_workflow = Method(of_applications.create_workflow)
    change_workflow = Method(of_applications.change_workflow)
    check_workflow = Method(of_applications.check_workflow)

    apply = Method(flows.apply)
    preview = Method(of_runs.preview)
    execute = Method(flows.execute)
    revisions = Method(of_runs.revisions)
    revision = Method(of_runs.revision)
    diff = Method(of_runs.diff)
    rollback = Method(flows.rollback)
    preview_rollback = Method(of_runs.preview_rollback)
    restart = Method(flows.restart)

    tasks = Method(of_tasks.tasks)
    tasks_of = Method(of_tasks.tasks_of)
    task = Method(of_tasks.task)
    stages = Method(of_tasks.stages)
    resources = Method(of_tasks.resources)
    changes = Method(of_tasks.changes)
    evidence = Method(of_tasks.evidence)
    cancel = Method(flows.cancel)
    promote = Method(of_tasks.promote)
    cleanup = Method(of_tasks.cleanup)
    abandon = Method(of_tasks.abandon)

    operations = Method(of_server.operations)
    clusters = Method(of_server.clusters)
    orphans = Method(of_server.orphans)
    delete_orphans = Method(of_server.delete_orphans)
    notifications = Method(of_server.notifications)
    retry_notification = Method(of_server.retry_notification)
    test_notification = Method(of_server.test_notification)
    audit = Method(of_server.audit)
    audit_lines = Method(of_server.audit_lines)
    whoami = Method(of_identity.whoami)
    ways = Method(of_identity.ways)
    tokens = Method(of_identity.tokens)
    create_token = Method(of_identity.create_token)
    revoke_token = Method(of_identity.revoke_token)
    end_sessions = Method(of_identity.end_sessions)

    alive = Method(of_server.alive)
    ready = Method(of_server.ready)
