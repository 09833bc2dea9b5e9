"""Finding what a path names, or the error that says it is not there.

An application is named by its id, by ``namespace~name`` in the cluster ``default``, or by ``cluster~namespace~name``; a
task by its id, by a beginning of it that no other task has, or by an application: then its latest one is meant.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from kubemin.engine.errors import AppNotFound, TaskNotFound, WorkflowNotFound
from kubemin.spec.ids import ID_LENGTH, application_id
from kubemin.spec.names import DEFAULT_CLUSTER, DEFAULT_NAMESPACE, is_label, shown
from kubemin.store import Tx, applications, tasks, workflows
from kubemin.store.sight import Sight

SEPARATOR = "~"
"""Between a cluster, a namespace and a name: none of these may have it, and an address keeps it as it is."""
SHORTEST = 6
"""Characters of a task's id that may stand for all."""
_NEAR = 5
_COMPARED = 1000
_MOST_WORK = 100_000
"""Pairs of characters that are compared, at most: a few hundredths of a second, whatever the names are."""


def is_id(identifier: str) -> bool:
    """Whether it looks like an id. Only then is the database asked for it: not every database takes every text."""
    return len(identifier) == ID_LENGTH and identifier.isascii() and identifier.isalnum()


class _Where(NamedTuple):
    cluster: str
    namespace: str
    name: str

    @property
    def is_one(self) -> bool:
        """Whether something can be there."""
        return all(map(is_label, self))


def _parts(text: str) -> _Where:
    """``cluster~namespace~name``; the first, or both, may be left out."""
    place, _, name = text.rpartition(SEPARATOR)
    cluster, _, namespace = place.rpartition(SEPARATOR)
    return _Where(cluster or DEFAULT_CLUSTER, namespace or DEFAULT_NAMESPACE, name.lower())


def id_named(text: str) -> str:
    """The id of the application of this name, whether it is there or not; empty where the text is no name."""
    if is_id(text):
        return text
    where = _parts(text)
    return application_id(where.namespace, where.name, where.cluster) if where.is_one else ""


def cluster_named(text: str) -> str:
    """The cluster that the name of an application says; empty where it is no such name."""
    where = _parts(text)
    return where.cluster if SEPARATOR in text and where.is_one else ""


async def application_named(tx: Tx, text: str, sight: Sight = None) -> str:
    """The id of the application; one that only looks like an id is given back. Raises `AppNotFound`.

    What is not in ``sight`` is answered as what is not there, and is not named as near.
    """
    if is_id(text):
        return text
    where = _parts(text)
    if where.is_one and (row := await applications.find(tx, where.namespace, where.name, where.cluster)):
        place = (row.cluster, row.namespace, row.project, row.name)
        if sight is None or any(scope.has(*place) for scope in sight):
            return row.id
    places = await applications.places(tx, sight, limit=_COMPARED)
    known = [shown(*place).replace("/", SEPARATOR) for place in places]
    same = [one for one in known if one.endswith(f"{SEPARATOR}{where.name}")]
    asked = shown(where.cluster, where.namespace, where.name).replace("/", SEPARATOR)
    raise AppNotFound(text, same[:_NEAR] or get_close_matches(asked, _comparable(asked, known), _NEAR))


def _comparable(asked: str, known: Iterable[str]) -> Iterator[str]:
    """Those that are compared: on the loop, where what two names take grows with the product of their lengths."""
    left = _MOST_WORK
    for one in known:
        left -= len(asked) * len(one)
        if left < 0:
            return
        yield one


async def task_named(tx: Tx, text: str, sight: Sight = None) -> str:
    """The id of the task; one that only looks like an id is given back. Raises `TaskNotFound`."""
    if is_id(text):
        return text
    if text.isascii() and text.isalnum() and SHORTEST <= len(text) < ID_LENGTH:
        found = await tasks.beginning_with(tx, text, _NEAR, sight)
        if len(found) > 1:
            raise TaskNotFound(text, found, f"is the beginning of {'several' if len(found) < _NEAR else 'many'}")
        if found:
            return found[0]
    try:
        app_id = await application_named(tx, text, sight)
    except AppNotFound as error:
        raise TaskNotFound(text, error.near) from error
    latest = await tasks.page(tx, app_id=app_id, limit=1, sight=sight)
    if not latest:
        raise TaskNotFound(text, said="has no task yet")
    return latest[0].id


async def application_of(tx: Tx, app_id: str) -> applications.ApplicationRow:
    """The application. Raises `AppNotFound`."""
    found = await applications.get(tx, app_id) if is_id(app_id) else None
    if found is None:
        raise AppNotFound(app_id)
    return found


async def workflow_of(tx: Tx, app_id: str, workflow_id: str | None) -> workflows.WorkflowRow:
    """The application's workflow; without an id, the one that came with it. Raises `WorkflowNotFound`."""
    for flow in await workflows.of_application(tx, app_id):
        if workflow_id in (None, "", flow.id):
            return flow
    raise WorkflowNotFound(workflow_id or "")


async def task_of(tx: Tx, task_id: str) -> tasks.Task:
    """The task, without ``spec`` and ``plan``. Raises `TaskNotFound`."""
    found = await tasks.brief(tx, task_id) if is_id(task_id) else None
    if found is None:
        raise TaskNotFound(task_id)
    return found
