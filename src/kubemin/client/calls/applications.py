"""Applications, their components and their workflows.

``app`` is the id of an application, ``namespace/name``, or ``cluster/namespace/name``. Each raises `NotFound` where
there is none, and `Invalid` where the request is wrong.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubemin.client.address import below, named
from kubemin.client.calls.runs import once
from kubemin.client.steps import Call

if TYPE_CHECKING:
    from kubemin.client.replies import (
        Application,
        ApplicationList,
        Checked,
        ComponentList,
        DeletedApplication,
        DeletedResources,
        Preview,
        ReadText,
        Version,
        WorkflowId,
        WorkflowList,
    )


def applications(
    *,
    search: str | None = None,
    name: str | None = None,
    namespace: str | None = None,
    cluster: str | None = None,
    status: str | None = None,
    page: int | None = None,
    page_size: int | None = None,
    after: str | None = None,
) -> "Call[ApplicationList]":
    """Those that all filters fit, the one that was changed last first; a page where one is asked for.

    The next page by its number, or ``after`` the ``nextCursor`` of this one. ``status`` is that of the newest task.
    """
    filters = {"search": search, "name": name, "namespace": namespace, "cluster": cluster, "status": status}
    return Call("GET", below("applications"), {**filters, **_page(page, page_size, after)})


def templates(
    *,
    search: str | None = None,
    cluster: str | None = None,
    page: int | None = None,
    page_size: int | None = None,
    after: str | None = None,
) -> "Call[ApplicationList]":
    """The applications that may be used as a template."""
    filters = {"search": search, "cluster": cluster}
    return Call("GET", below("applications", "templates"), {**filters, **_page(page, page_size, after)})


def application(app: str) -> "Call[Application]":
    """One, with its overview."""
    return Call("GET", _of(app))


def components(app: str) -> "Call[ComponentList]":
    """The components as they were saved last, what is deployed of each, and how it does in the cluster."""
    return Call("GET", _of(app, "components"))


def save(application: Mapping[str, Any]) -> "Call[Application]":
    """Create a draft that nothing runs; with the ``id`` of an existing application save that. `Conflict`: its name."""
    return Call("POST", below("applications"), body=application)


def check(application: Mapping[str, Any]) -> "Call[Checked]":
    """Whether it would be saved, with everything that is wrong. Stores nothing."""
    return Call("POST", below("applications", "try"), body=application)


def read(
    text: str, *, name: str | None = None, namespace: str | None = None, cluster: str | None = None
) -> "Call[ReadText]":
    """What YAML or JSON means, checked as `apply` checks it, each mistake with its line. Stores nothing.

    Of plain Kubernetes objects ``name`` says what their application is called, and ``cluster`` where it is.
    """
    given = {"text": text, "name": name, "namespace": namespace, "cluster": cluster}
    return Call("POST", below("applications", "read"), body=given)


def plan(
    application: Mapping[str, Any],
    *,
    create_namespace: bool | None = None,
    adopt: bool | None = None,
    take_over: bool | None = None,
    delete_volumes: bool | None = None,
) -> "Call[Preview]":
    """What saving and running it would do, asked of the cluster. Stores and writes nothing."""
    how = {"createNamespace": create_namespace, "adopt": adopt, "takeOver": take_over, "deleteVolumes": delete_volumes}
    return Call("POST", below("applications", "plan"), how, body=application)


def deleting(
    app: str, keep_resources: bool | None, delete_volumes: bool | None, key: str
) -> "Call[DeletedApplication]":
    """The removal of an application; a second one with the same ``key`` is the same task."""
    how = {"keepResources": keep_resources, "deleteVolumes": delete_volumes}
    return Call("DELETE", _of(app), how, headers=once(key))


def preview_delete(
    app: str, *, keep_resources: bool | None = None, delete_volumes: bool | None = None
) -> "Call[DeletedApplication]":
    """What `delete` would do: ``removes``, ``releases``, ``passes``, ``keeps``. Does nothing."""
    how = {"keepResources": keep_resources, "deleteVolumes": delete_volumes, "dryRun": True}
    return Call("DELETE", _of(app), how)


def deleting_resources(app: str, delete_volumes: bool | None, key: str) -> "Call[DeletedResources]":
    """The removal of what an application has in the cluster; a second one with the same ``key`` is the same task."""
    return Call("DELETE", _of(app, "resources"), {"deleteVolumes": delete_volumes}, headers=once(key))


def logs(
    app: str,
    *,
    component: str | None = None,
    container: str | None = None,
    previous: bool | None = None,
    tail: int | None = None,
) -> Call[str]:
    """What its containers wrote last, a line each: ``[component/pod/container] text``.

    ``tail`` lines of each container, else 100; ``previous``: of the run before.
    """
    which = {"component": component, "container": container, "previous": previous, "tail": tail}
    return Call("GET", _of(app, "logs"), which, as_text=True)


def making_version(app: str, body: Mapping[str, Any], key: str) -> "Call[Version]":
    """A new version of an application; a second one with the same ``key`` is the same run."""
    return Call("POST", _of(app, "version"), body=body, headers=once(key))


def workflows(app: str) -> "Call[WorkflowList]":
    """Its workflows, the one that came with it first."""
    return Call("GET", _of(app, "workflows"))


def create_workflow(app: str, name: str, steps: Sequence[Any], *, alias: str = "") -> "Call[WorkflowId]":
    """A further one. `Conflict`: there is one of this name."""
    return Call("POST", _of(app, "workflow"), body={"name": name, "alias": alias, "workflow": list(steps)})


def change_workflow(
    app: str, steps: Sequence[Any], *, workflow_id: str | None = None, name: str | None = None, alias: str | None = None
) -> "Call[WorkflowId]":
    """Replace the steps of one, without ``workflow_id`` of the one that came with the application."""
    body = {"workflowId": workflow_id, "name": name, "alias": alias, "workflow": list(steps)}
    return Call("PUT", _of(app, "workflow"), body=body)


def check_workflow(app: str, steps: Sequence[Any]) -> "Call[Checked]":
    """Whether the steps would be taken, with everything that is wrong. Stores nothing."""
    return Call("POST", _of(app, "workflow", "try"), body={"workflow": list(steps)})


def _of(app: str, *more: object) -> str:
    return below("applications", named(app), *more)


def _page(page: int | None, page_size: int | None, after: str | None) -> dict[str, Any]:
    return {"page": page, "pageSize": page_size, "after": after}
