"""Creating and saving applications. ``try`` goes the same way, up to the point where something is stored."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.api.access import Access
from kubemin.api.cloning import parsed, templates_of
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.api.envelope import ApiError
from kubemin.api.lookups import application_of
from kubemin.api.masks import masked_components, unmasked
from kubemin.api.models.applications import ComponentReply
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.loading import Stored
from kubemin.engine.errors import AppNotFound
from kubemin.spec.application import Application
from kubemin.spec.component import Component
from kubemin.spec.draft_merge import with_what_is_stored
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.limits import Limits
from kubemin.spec.names import DEFAULT_CLUSTER, shown
from kubemin.store import Database, Duplicate, Tx, applications, components, drafts, tasks

_KEPT = ("cluster", "namespace", "alias", "version", "project", "description", "icon")
_TRIES = 3
_ONLY_IN_REPLIES = {str(field.alias) for field in ComponentReply.model_fields.values()} - {
    str(field.alias) for field in Component.model_fields.values()
}
"""Of a component: accepted in a save, since clients send back what they got, and passed over."""


@dataclass(frozen=True)
class Prepared:
    """An application that may be stored. ``stored`` is what it replaces, None when it is new."""

    application: Application
    stored: applications.ApplicationRow | None


@dataclass(frozen=True)
class _Found:
    """What the database has that a request builds upon."""

    stored: applications.ApplicationRow | None
    parts: list[components.ComponentRow]
    templates: dict[str, Stored]
    copied: list[components.ComponentRow]
    """Components of templates, of the names under which secrets are masked."""


async def placed(deps: Deps, data: Mapping[str, Any], asked: Access) -> Mapping[str, Any]:
    """The application as it was sent, placed by the cluster that it is of: see `Placing`.

    Raises `AppNotFound`, and 403 for a cluster that is none of theirs: it is not asked then.
    """
    app_id, cluster = data.get("id"), None
    if isinstance(app_id, str) and app_id and data.get("cluster") is None:
        async with deps.db.read() as tx:
            row = await application_of(tx, app_id)
        if not asked.sees(row):
            raise AppNotFound(app_id)
        cluster = row.cluster
    asked.check_cluster(cluster or data.get("cluster") or DEFAULT_CLUSTER)
    return await deps.placed(data, cluster)


Edit = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
"""Makes the components to save of those that are stored. Raises `SpecError`."""


async def prepare(
    db: Database, compute_thread: ComputeThread, data: Mapping[str, Any], limits: Limits, asked: Access
) -> Prepared:
    """Check everything that can be checked; what takes long, at the desk and in no transaction.

    Raises `SpecError`, `AppNotFound`, `Busy`, 10003 where the name is taken, and 403 where ``asked`` has not the role.
    """
    async with db.read() as tx:
        found = await _look(tx, data, limits, asked)
    application = await _checked(compute_thread, data, found, limits, None)
    asked.check_written(application, found.stored)
    async with db.read() as tx:
        await _refuse_namesake(tx, application, found.stored, asked)
    return Prepared(application, found.stored)


async def check_and_save(
    db: Database,
    compute_thread: ComputeThread,
    data: Mapping[str, Any],
    limits: Limits,
    asked: Access,
    edit: Edit | None = None,
    also: Callable[[Application], object] | None = None,
) -> Prepared:
    """Store the application, checked as in `prepare`, and by ``also``; returns what is stored, and what was before.

    ``edit`` makes the components of those that are stored. Raises 409 if others save it all the time.
    """
    for _ in range(_TRIES):
        async with db.read() as tx:
            found = await _look(tx, data, limits, asked)
        application = await _checked(compute_thread, data, found, limits, edit)
        asked.check_written(application, found.stored)
        if also is not None:
            also(application)
        async with db.begin("save") as tx:
            if await _look(tx, data, limits, asked, hold=True) == found:
                await _refuse_namesake(tx, application, found.stored, asked)
                prepared = Prepared(application, found.stored)
                await _save(tx, prepared)
                return prepared
    raise ApiError(409, ApiCode.CONFLICT, "The application, or a template of it, changed meanwhile: try again.")


async def _look(tx: Tx, data: Mapping[str, Any], limits: Limits, asked: Access, *, hold: bool = False) -> _Found:
    stored, parts = await _stored(tx, data.get("id"), hold=hold)
    if stored is not None:
        if not asked.sees(stored):
            raise AppNotFound(stored.id)
        asked.check_stored(stored)  # before anything of it is put in place of a mask
    masked = masked_components(data)
    copied = await components.of_templates(tx, masked, asked.sight) if masked else []
    return _Found(stored, parts, await templates_of(tx, data, limits, asked), copied)


async def _checked(
    compute_thread: ComputeThread, data: Mapping[str, Any], found: _Found, limits: Limits, edit: Edit | None
) -> Application:
    whole = data if found.stored is None else _completed(data, found.stored, found.parts)
    parts = found.parts
    if edit is not None:
        whole = {**whole, "component": edit([part.spec for part in parts])}
        parts = [part for part in parts if part.spec not in whole["component"]]  # the others are whole

    def complete(draft: Application) -> Application:
        return with_what_is_stored(draft, {part.name: part.read for part in parts})

    application = await parsed(compute_thread, whole, found.templates, limits, complete)
    return unmasked(application, [part.spec for part in found.copied])


async def _refuse_namesake(
    tx: Tx, application: Application, stored: applications.ApplicationRow | None, asked: Access
) -> None:
    namesake = await applications.find(tx, application.namespace, application.name, application.cluster)
    if namesake is None or (stored is not None and namesake.id == stored.id):
        return
    if asked.sees(namesake):
        raise _taken(application)
    asked.check_hidden(application, namesake)


async def _save(tx: Tx, prepared: Prepared) -> None:
    """Store the application with its components and workflow, in the caller's transaction."""
    application = prepared.application
    try:
        if prepared.stored is None:
            await drafts.create(tx, application, config_key=secrets.token_hex(16))
        else:
            await drafts.save(tx, application, application.workflow)
    except Duplicate as error:
        raise _taken(application) from error


async def _stored(
    tx: Tx, app_id: object, *, hold: bool
) -> tuple[applications.ApplicationRow | None, list[components.ComponentRow]]:
    if app_id is None or app_id == "":
        return None, []
    if not isinstance(app_id, str):
        raise SpecError([Issue("id", IssueCode.INVALID_FIELD_VALUE, "id must be text.")])
    stored = await application_of(tx, app_id)
    if hold:
        await tasks.lock_application(tx, stored.id)
        stored = await application_of(tx, app_id)
    return stored, await components.of_application(tx, app_id)


def _completed(
    data: Mapping[str, Any], stored: applications.ApplicationRow, parts: list[components.ComponentRow]
) -> dict[str, Any]:
    """What the request leaves out stays as it is stored; the workflow is looked at when it is saved.

    Raises 409 where it asks for another cluster, namespace or name.
    """
    whole = dict(data)
    for field in _KEPT:
        if whole.get(field) is None:
            whole[field] = getattr(stored, field)
    name = whole.get("name")
    same = not isinstance(name, str) or name.lower() == stored.name
    places = ("namespace", "cluster")
    moves = any(isinstance(whole[place], str) and whole[place] != getattr(stored, place) for place in places)
    if not same or moves:
        raise ApiError(
            409,
            ApiCode.CONFLICT,
            f"Application {stored.id} is {shown(stored.cluster, stored.namespace, stored.name)}, and its cluster, "
            "namespace and name never change: make another application.",
        )
    if whole.get("tmpEnable") is None and whole.get("tmp_enable") is None:
        whole["tmpEnable"] = stored.tmp_enable
    if whole.get("component") is None:
        whole["component"] = [part.spec for part in parts]
    elif isinstance(whole["component"], list):
        whole["component"] = [_as_written(part) for part in whole["component"]]
    return whole


def _as_written(part: object) -> object:
    """A component without what only replies have."""
    return {k: v for k, v in part.items() if k not in _ONLY_IN_REPLIES} if isinstance(part, dict) else part


def _taken(application: Application) -> ApiError:
    return ApiError(
        409,
        ApiCode.APPLICATION_EXISTS,
        f"There is an application {application.name} in namespace {application.namespace}"
        f"{'' if application.cluster == DEFAULT_CLUSTER else f' of cluster {application.cluster}'} already; "
        "give its id to save it.",
    )
