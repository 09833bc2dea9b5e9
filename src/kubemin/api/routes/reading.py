"""An application as a file has it: what it means, and where it is wrong."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter

from kubemin.api.access import About, Asked, needs
from kubemin.api.applying import posted
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Given
from kubemin.api.envelope import Envelope
from kubemin.api.models.applications import Mistake, ReadReply, Text
from kubemin.api.warnings import warnings_in
from kubemin.identity.grants import Role
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.plain import Origin, Origins, PlainObject, application_of, charts_of, is_plain, place_of
from kubemin.spec.text import ParseError, Place, documents

router = APIRouter(prefix="/applications", tags=["Applications"], route_class=StrictRoute)


@router.post("/read", summary="Read an application from text")
@needs(About.WRITTEN, Role.VIEWER)
async def read_application(deps: Given, asked: Asked, body: Text) -> Envelope[ReadReply]:
    """The application that YAML or JSON means, checked as `apply` checks it, with the line of each mistake.

    Kubernetes objects become an application with the `name`, `namespace` and `cluster` of the request, as
    `kubemin apply --name` makes it. Stores nothing. The cluster is asked only whether kinds that nobody here knows are
    in a namespace, and for what the application names and does not make.
    """
    try:
        data, origins = await deps.compute_thread.do(lambda: _read(body))
    except ParseError as error:
        line, column = error.place or Place(1, 1)
        wrong = Mistake(field="", code="INVALID_TEXT", message=f"{error}.", line=line, column=column)
        return Envelope(data=ReadReply(valid=False, errors=[wrong], warnings=[]))
    except SpecError as error:
        return Envelope(data=ReadReply(valid=False, errors=_mistakes({}, error.issues), warnings=[]))
    try:
        asked.check_cluster(data.get("cluster") or DEFAULT_CLUSTER)
        placed = await deps.placed(data)
        application = await posted(deps.db, deps.compute_thread, placed, None, deps.limits, asked)
    except SpecError as error:
        issues = error.issues
        found = await deps.compute_thread.do(lambda: _mistakes(origins, issues))
        return Envelope(data=ReadReply(valid=False, errors=found, warnings=[]))
    warnings = await warnings_in(deps, asked, application, data)
    told = await deps.compute_thread.do_if_large(lambda: _mistakes(origins, warnings), data)
    return Envelope(data=ReadReply(valid=True, application=data, errors=[], warnings=told))


def _read(body: Text) -> tuple[dict[str, Any], Origins]:
    """The application, and where its parts are in the text. Raises `ParseError`, `SpecError`."""
    found = documents(body.text)
    if found and all(is_plain(one.value) for one in found):
        if body.name is None:
            message = "These are Kubernetes objects: say what their application is called."
            raise SpecError([Issue("name", IssueCode.MISSING_REQUIRED_FIELD, message)])
        charts = charts_of(body.text, (one.place_of("").line for one in found))
        objects = [
            PlainObject(chart or "objects", one.value, "", one) for chart, one in zip(charts, found, strict=True)
        ]
        data, origins = application_of(body.name, body.namespace, objects)
        return {**data, **({} if body.cluster is None else {"cluster": body.cluster})}, origins
    if len(found) != 1:
        raise ParseError(f"one application is expected, and there are {len(found) or 'none'}")
    if not isinstance(found[0].value, dict):
        raise ParseError("an application is an object with name and component")
    return found[0].value, {"": Origin("", found[0])}


def _mistakes(origins: Origins, issues: Iterable[Issue]) -> list[Mistake]:
    return [Mistake(**one.to_json(), **_place(one.field, origins)._asdict()) for one in issues]


def _place(field: str, origins: Origins) -> Place:
    found = place_of(field, origins)
    return Place(1, 1) if found is None else found[1]
