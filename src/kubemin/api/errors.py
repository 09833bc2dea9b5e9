"""The one place where an exception becomes an HTTP status, a business code and a sentence."""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from kubemin.api.codes import OF_ISSUE, ApiCode
from kubemin.api.envelope import ApiError, FieldError
from kubemin.cluster.errors import CallerForbidden, ClusterError
from kubemin.engine.errors import (
    AppChanged,
    AppNotFound,
    Busy,
    BusyForCaller,
    CancelledOtherwise,
    EngineError,
    KeyReused,
    NeverDeployed,
    NotHeld,
    NotIncomplete,
    PlanChanged,
    RevisionNotFound,
    SignalFailed,
    TaskActive,
    TaskEnded,
    TaskNotFound,
    WorkflowNotFound,
)
from kubemin.spec.acting import CannotActAs
from kubemin.spec.issues import MAX_ISSUES, Issue, SpecError, and_more
from kubemin.spec.wording import describe_error, field_path
from kubemin.store.errors import (
    CommitUnknown,
    Duplicate,
    Full,
    KeyInUse,
    Locked,
    SchemaOutdated,
    StoreError,
    Unavailable,
    Unreadable,
    Unstorable,
)

log = structlog.get_logger(__name__)

_SOON = {"Retry-After": "1"}
_HTTP_SENTENCES = {
    404: "There is nothing at this address; GET /openapi.json lists what there is.",
    405: "This address does not take that method.",
}


def api_error(error: Exception) -> ApiError:
    """What the caller is told of the error. Only sentences written for a person get through, never a driver's text."""
    match error:
        case ApiError():
            return error
        case SpecError():
            return invalid(error.issues)
        case RequestValidationError():
            return invalid([_issue_of(detail) for detail in error.errors()[:MAX_ISSUES]])
        case HTTPException():
            return _of_http(error)
        case EngineError():
            return _of_engine(error)
        case StoreError():
            return _of_store(error)
        case CannotActAs():
            return ApiError(403, ApiCode.FORBIDDEN, sentence(str(error)))
        case CallerForbidden():
            return ApiError(403, ApiCode.FORBIDDEN, sentence(error.message))
        case ClusterError():
            return ApiError(503, ApiCode.CLUSTER_UNREACHABLE, sentence(error.message), headers=_SOON)
        case _:
            return ApiError(500, ApiCode.INTERNAL, "Something went wrong inside the server; its log has the details.")


def invalid(issues: Sequence[Issue]) -> ApiError:
    """400 with every issue. Issues of one kind have its business code, a mixture has the general one."""
    codes = {OF_ISSUE.get(issue.code, ApiCode.VALIDATION) for issue in issues}
    return ApiError(
        400,
        codes.pop() if len(codes) == 1 else ApiCode.VALIDATION,
        summary(issues),
        errors=[FieldError.of(issue) for issue in issues],
    )


def summary(issues: Sequence[Issue]) -> str:
    """One sentence: the first issue, and how many more there are."""
    first = issues[0]
    text = first.message if first.field in first.message else f"{first.field}: {first.message}"
    if more := and_more(issues):
        text = text.rstrip(".") + more
    return sentence(text, keep=first.field)


def sentence(text: str, *, keep: str = "") -> str:
    """The text with a capital where it starts with a plain word other than the name ``keep``, and a full stop."""
    word = text.partition(" ")[0]
    if word.isalpha() and word != keep:
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _issue_of(detail: ErrorDetails) -> Issue:
    """A Pydantic error as an issue; its ``input`` is left out, for it may hold a secret."""
    loc = detail["loc"]
    path = field_path(loc[1:] if len(loc) > 1 and loc[0] in ("body", "query", "header", "path") else loc)
    code = "MISSING_REQUIRED_FIELD" if detail["type"] == "missing" else "INVALID_VALUE"
    return Issue(field=path or "body", code=code, message=f"{path or 'body'} {describe_error(detail)}.")


def _of_http(error: HTTPException) -> ApiError:
    """Starlette's own errors: unknown address, wrong method."""
    status = error.status_code
    message = _HTTP_SENTENCES.get(status) or HTTPStatus(status).phrase
    code = ApiCode(status) if status in list(ApiCode) else ApiCode.BAD_REQUEST if status < 500 else ApiCode.INTERNAL
    return ApiError(status, code, sentence(message), headers=dict(error.headers or {}))


def _of_engine(error: EngineError) -> ApiError:
    message = sentence(str(error))
    match error:
        case AppNotFound():
            return ApiError(404, ApiCode.APPLICATION_NOT_FOUND, message)
        case WorkflowNotFound():
            return ApiError(404, ApiCode.WORKFLOW_NOT_FOUND, message)
        case RevisionNotFound():
            return ApiError(404, ApiCode.REVISION_NOT_FOUND, message)
        case TaskNotFound():
            return ApiError(404, ApiCode.TASK_NOT_FOUND, message)
        case TaskEnded():
            return ApiError(409, ApiCode.TASK_ENDED, message)
        case TaskActive():
            active = FieldError(field="taskId", code="TASK_ACTIVE", message=error.task_id)
            return ApiError(409, ApiCode.TASK_ACTIVE, message, errors=[active])
        case PlanChanged():
            changed = [FieldError(field="expects", code="PLAN_CHANGED", message=one) for one in error.changes]
            return ApiError(409, ApiCode.PLAN_CHANGED, message, errors=changed[:MAX_ISSUES])
        case Busy():
            return ApiError(503, ApiCode.UNAVAILABLE, message, headers=_SOON)
        case BusyForCaller():
            return ApiError(429, ApiCode.TOO_MANY, message, headers=_SOON)
        case KeyReused() | AppChanged() | CancelledOtherwise() | NotHeld() | NotIncomplete() | NeverDeployed():
            return ApiError(409, ApiCode.CONFLICT, message)
        case SignalFailed():
            return ApiError(502, ApiCode.SIGNAL_FAILED, message)
        case _:
            return ApiError(500, ApiCode.INTERNAL, message)


def _of_store(error: StoreError) -> ApiError:
    match error:
        case Full():
            return ApiError(507, ApiCode.STORAGE_FULL, "The database is full: nothing was stored.")
        case SchemaOutdated() | Unreadable() | KeyInUse():
            return ApiError(503, ApiCode.UNAVAILABLE, sentence(str(error)))
        case Duplicate():
            return ApiError(409, ApiCode.CONFLICT, "Someone else stored the same thing just now: look, and try again.")
        case CommitUnknown():
            message = "The database did not say whether it stored this: look before you try again."
            unknown = FieldError(field="body", code="COMMIT_UNKNOWN", message=message)
            return ApiError(503, ApiCode.UNAVAILABLE, message, errors=[unknown])
        case Locked() | Unavailable():
            message = "The database is busy or out of reach: nothing was stored, try again."
            return ApiError(503, ApiCode.UNAVAILABLE, message, headers=_SOON)
        case Unstorable():
            return ApiError(400, ApiCode.VALIDATION, sentence(str(error)))
        case _:
            return ApiError(
                500, ApiCode.INTERNAL, "The database refused this, and stored nothing; the log has the details."
            )


async def _respond(request: Request, error: Exception) -> Response:
    answer = api_error(error)
    if answer.status >= 500 and answer is not error:
        # What a driver says may quote the values that it was given: of the store's errors only the kind is logged.
        why = "" if isinstance(error, StoreError) else str(error)
        log.error("request failed", path=request.url.path, status=answer.status, error=type(error).__name__, why=why)
    return answer.response()


def install(app: FastAPI) -> None:
    """Answer every exception of a handler in the envelope.

    The one for ``Exception`` runs outside all middleware; the server logs the traceback.
    """
    for kind in (
        ApiError,
        SpecError,
        RequestValidationError,
        HTTPException,
        EngineError,
        StoreError,
        ClusterError,
        CannotActAs,
    ):
        app.add_exception_handler(kind, _respond)
    app.add_exception_handler(Exception, _respond)
