"""The applications that a request names as templates, read so that its components can be cloned from them."""

from collections.abc import Mapping
from typing import Any

from kubemin.api.lookups import application_of
from kubemin.engine.errors import NotFoundError
from kubemin.engine.loading import load
from kubemin.spec.application import Application
from kubemin.spec.issues import SpecError
from kubemin.spec.limits import Limits
from kubemin.spec.templates import template_ids
from kubemin.store import Tx


async def templates_of(tx: Tx, data: Mapping[str, Any], limits: Limits) -> dict[str, Application]:
    """By id: those that there are, that may be used as a template and that still are allowed; never itself."""
    found: dict[str, Application] = {}
    for app_id in sorted(template_ids(data) - {data.get("id")}):
        try:
            row = await application_of(tx, app_id)
            if row.tmp_enable:
                loaded = await load(tx, app_id, None, limits)
                found[app_id] = loaded.application.model_copy(update={"tmp_enable": True})
        except (NotFoundError, SpecError):
            continue  # refused by name when the request is read
    return found
