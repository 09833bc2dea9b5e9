"""An application that is posted to be run, checked. Nothing is stored."""

from collections.abc import Mapping
from typing import Any

from kubemin.api.access import Access
from kubemin.api.cloning import parsed, templates_of
from kubemin.api.masks import unmasked, with_deployed
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.spec.application import Application
from kubemin.spec.component_secrets import values_in_json
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.limits import Limits
from kubemin.store import Database, applications, revisions


async def posted(
    db: Database,
    compute_thread: ComputeThread,
    data: Mapping[str, Any],
    steps: list[Any] | None,
    limits: Limits,
    asked: Access,
) -> Application:
    """The application, by ``steps`` if these are given. A masked secret is what is deployed.

    Raises `SpecError`, `Busy`, and 403 where ``asked`` has not the role for it, as it is written and as it is stored.
    """
    whole = dict(data)
    if steps is not None:
        if whole.get("workflow") not in (None, steps):
            message = "The workflow is given twice, and differently: in the application, and beside it."
            raise SpecError([Issue("workflow", IssueCode.INVALID_FIELD_VALUE, message)])
        whole["workflow"] = steps
    async with db.read() as tx:
        templates = await templates_of(tx, whole, limits, asked)
    application = await parsed(compute_thread, whole, templates, limits)
    asked.check_written(application)
    current = None
    async with db.read() as tx:
        stored = await applications.get(tx, application.app_id)
        # Of what one may not see nothing is read: which masks mean something would tell what it has.
        if stored is not None and asked.sees(stored):
            asked.check_written(application, stored)
            current = await revisions.current(tx, application.app_id)
    parts = current.spec["component"] if current else []
    secrets = {part["name"]: values_in_json(part) for part in parts}
    return unmasked(with_deployed(application, secrets), [])
