"""Reading an application that is sent: the applications that it names as templates are read, and cloned from."""

from collections.abc import Mapping
from typing import Any

from kubemin.api.access import Access
from kubemin.api.lookups import application_of
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.loading import Stored, stored
from kubemin.engine.errors import NotFoundError
from kubemin.spec.application import Application, Complete, parse_application
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.limits import Limits
from kubemin.spec.templates import expand_templates, template_ids
from kubemin.store import Tx


async def templates_of(tx: Tx, data: Mapping[str, Any], limits: Limits, asked: Access) -> dict[str, Stored]:
    """By id: those that whoever asks sees and that may be used as a template; never itself.

    Each is cloned whole: raises `SpecError` once they have more components than an application may have.
    """
    found: dict[str, Stored] = {}
    count = 0
    for app_id in sorted(one for one in template_ids(data) if one != data.get("id")):
        try:
            row = await application_of(tx, app_id)
            if not (row.tmp_enable and asked.sees(row)):
                continue
            found[app_id] = await stored(tx, app_id, None)
        except NotFoundError:
            continue  # refused by name when the request is read
        count += len(found[app_id].parts)
        if count > limits.max_components:
            message = f"The templates have more than the {limits.max_components} components that are allowed."
            raise SpecError([Issue("component", IssueCode.TOO_MANY_COMPONENTS, message)])
    return found


async def parsed(
    compute_thread: ComputeThread,
    data: Mapping[str, Any],
    templates: Mapping[str, Stored],
    limits: Limits,
    complete: Complete | None = None,
) -> Application:
    """The application, checked, with what it clones of these templates; see `parse_application`.

    What takes long is done in the thread. Raises `SpecError`, `Busy`.
    """

    def template(app_id: str) -> Application | None:
        return _template_of(templates, app_id, limits)

    def parse() -> Application:
        return parse_application(data, limits, lambda read: expand_templates(read, template), complete)

    return await compute_thread.do(parse) if templates else await compute_thread.do_if_large(parse, data)


def _template_of(found: Mapping[str, Stored], app_id: str, limits: Limits) -> Application | None:
    """The template of this id; None where there is none that may be used, or what is stored no longer is allowed."""
    if app_id not in found:
        return None
    try:
        return found[app_id].application(limits).model_copy(update={"tmp_enable": True})
    except SpecError:
        return None
