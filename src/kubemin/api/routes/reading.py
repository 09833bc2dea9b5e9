"""An application as a file has it: what it means, and where it is wrong."""

from collections.abc import Iterable

from fastapi import APIRouter

from kubemin.api.applying import posted
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Given
from kubemin.api.envelope import Envelope
from kubemin.api.models.applications import Mistake, ReadReply, Text
from kubemin.api.warnings import warnings_in
from kubemin.spec.issues import Issue, SpecError
from kubemin.spec.text import Document, ParseError, Place, documents

router = APIRouter(prefix="/applications", tags=["Applications"], route_class=StrictRoute)


@router.post("/read", summary="Read an application from text")
async def read_application(deps: Given, body: Text) -> Envelope[ReadReply]:
    """The application that YAML or JSON means, checked as `apply` checks it, with the line of each mistake.

    Stores nothing. The cluster is asked only whether kinds that nobody here knows are in a namespace, and for what the
    application names and does not make.
    """
    try:
        document = await deps.compute_thread.do(lambda: _only(body.text))
    except ParseError as error:
        line, column = error.place or Place(1, 1)
        wrong = Mistake(field="", code="INVALID_TEXT", message=f"{error}.", line=line, column=column)
        return Envelope(data=ReadReply(valid=False, errors=[wrong], warnings=[]))
    try:
        data = await deps.placed(document.value)
        application = await posted(deps.db, deps.compute_thread, data, None, deps.limits)
    except SpecError as error:
        issues = error.issues
        found = await deps.compute_thread.do(lambda: _mistakes(document, issues))
        return Envelope(data=ReadReply(valid=False, errors=found, warnings=[]))
    warnings = await warnings_in(deps, application, document.value)
    told = await deps.compute_thread.do_if_large(lambda: _mistakes(document, warnings), document.value)
    return Envelope(data=ReadReply(valid=True, application=document.value, errors=[], warnings=told))


def _only(text: str) -> Document:
    found = documents(text)
    if len(found) != 1:
        raise ParseError(f"one application is expected, and there are {len(found) or 'none'}")
    if not isinstance(found[0].value, dict):
        raise ParseError("an application is an object with name and component")
    return found[0]


def _mistakes(document: Document, issues: Iterable[Issue]) -> list[Mistake]:
    return [Mistake(**one.to_json(), **document.place_of(one.field)._asdict()) for one in issues]
