"""From untrusted JSON to models, with every mistake named at once."""

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from kubemin.spec.issues import MAX_ISSUES, Issue, IssueCode, SpecError
from kubemin.spec.model import SpecModel
from kubemin.spec.wording import describe_error, field_path

M = TypeVar("M", bound=SpecModel)

_ROUNDS = 8
MAX_VALUES = 50_000
"""Of one request. Pydantic reads them in one go, during which nothing else in the process runs."""
_SMALL = 2_000
_LONG_TEXT = 16 * 1024
"""Characters."""
_MAX_DEPTH = 32
_BOUNDARY = re.compile(r"[.\[]")
_TYPES = {"string_type", "int_type", "bool_type", "list_type", "dict_type", "model_type"}
"""Errors that say of which type the value is, too."""
_STAND_INS: dict[str, Any] = {"string_type": "", "model_type": {}, "int_type": 1}
_Location = tuple[int | str, ...]


def read(model: type[M], data: object, root: str = "") -> tuple[M | None, list[Issue], list[str]]:
    """Read ``data`` as ``model``.

    Returns the model, the mistakes, and the fields that were left out because of them: a field of the wrong type is
    reported and then taken as not given, so that the checks can look at everything else. The model is None where
    nothing can be made of the input, or there are as many mistakes as are reported. ``root`` is the path that the
    fields in the report begin with.
    """
    issues: list[Issue] = []
    broken: list[str] = []
    rest = data
    for round_ in range(_ROUNDS):
        try:
            return model.model_validate(rest), issues, broken
        except ValidationError as error:
            if round_ == 0:
                rest = copy.deepcopy(data)
            for detail in error.errors(include_url=False)[: MAX_ISSUES - len(issues)]:
                issue = _issue(detail, root, model)
                issues.append(issue)
                path = _leave_out(rest, _place(detail), detail["type"])
                if path is None:
                    return None, issues, broken
                broken.append(field_path(path, root))
            if len(issues) >= MAX_ISSUES:
                break
    return None, issues, broken


def relevant(issues: Iterable[Issue], broken: Iterable[str]) -> Iterator[Issue]:
    """Those issues that are not merely the shadow of a field that was left out."""
    left_out = set(broken)

    def shadow(field: str) -> bool:
        return field in left_out or any(field[: end.start()] in left_out for end in _BOUNDARY.finditer(field))

    return (issue for issue in issues if not shadow(issue.field))


def refuse_bulk(data: object, *, values: int = MAX_VALUES, depth: int = _MAX_DEPTH) -> None:
    """Refuse what is too large or too deep to be looked at: mistakes are reported one by one, and each takes room.

    YAML can repeat one part by reference, so that a short text means a great deal: it counts as often as it is there.
    """
    level: list[object] = [data]
    count = 0
    for _ in range(depth):
        below: list[object] = []
        for value in level:
            items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            count += len(items)
            if count > values:
                message = f"The request holds more than {values:,} values."
                raise SpecError([Issue("", IssueCode.INVALID_FIELD_VALUE, message)])
            below.extend(items)
        if not below:
            return
        level = below
    raise SpecError([Issue("", IssueCode.INVALID_FIELD_VALUE, f"The request is nested more than {depth} levels deep.")])


def is_large(data: object) -> bool:
    """Whether it takes long to read; telling so does not."""
    pending: list[object] = [data]
    count = 0
    while pending:
        value = pending.pop()
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        count += len(items)
        if count > _SMALL or (isinstance(value, str) and _is_long(value)):
            return True
        pending.extend(items)
    return False


def _is_long(text: str) -> bool:
    """A text may be YAML: of that a short one, too, means a great deal, where it repeats a part by reference."""
    return len(text) > _LONG_TEXT or ("&" in text and "*" in text)


def _place(detail: ErrorDetails) -> _Location:
    """Where the mistake is. Pydantic marks a mistake in a key, rather than in its value, by a further ``[key]``."""
    location = detail["loc"]
    marked = len(location) > 1 and location[-1] == "[key]" and detail["type"] != "extra_forbidden"
    return location[:-1] if marked else location


def _issue(detail: ErrorDetails, root: str, model: type[SpecModel]) -> Issue:
    path = field_path(_place(detail), root)
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown(str(detail["loc"][-1]), path, _model_at(model, detail["loc"][:-1]))
    if kind == "missing":
        return Issue(path, IssueCode.MISSING_REQUIRED_FIELD, f"{path} {describe_error(detail)}.")
    code = IssueCode.INVALID_TRAIT_CONFIG if ".traits." in path else IssueCode.INVALID_FIELD_VALUE
    if kind in ("enum", "literal_error"):
        words = re.findall("'([^']*)'", detail["ctx"]["expected"])
        given = detail["input"] if isinstance(detail["input"], str) else ""
        return Issue.of_word(path, code, f"{path} is not one of the words that it can be", given, words)
    where = path or "The request"
    message = f"{where} {describe_error(detail)}"
    if kind not in _TYPES:
        return Issue(path, code, f"{message}.")
    given = detail["input"]
    message += f", not {_describe(given)}"
    quote = kind == "string_type" and isinstance(given, int | float)
    return Issue(path, code, message + (": write it in quotes." if quote else "."))


def _unknown(name: str, path: str, model: type[SpecModel] | None) -> Issue:
    fields = {} if model is None else model.model_fields
    # Those that take anything are there to be refused.
    known = [str(field.alias) for field in fields.values() if field.annotation is not Any]
    spellings = {} if model is None else model.other_spellings
    if spellings.get(name, to_camel(name)) in known:
        return Issue(path, IssueCode.UNKNOWN_FIELD, f"{path} is given twice, in two spellings that differ.")
    return Issue.of_word(path, IssueCode.UNKNOWN_FIELD, f"{path} is not a field that is known here", name, known)


def _model_at(model: type[SpecModel], location: Iterable[int | str]) -> type[SpecModel] | None:
    """The model of what is at a place; None where there is none."""
    here: type[SpecModel] | None = model
    for key in location:
        if isinstance(key, str) and here is not None:
            field = next((one for one in here.model_fields.values() if one.alias == key), None)
            here = _model_in(field.annotation) if field is not None else None
    return here


def _model_in(annotation: Any) -> type[SpecModel] | None:
    """The only model that is somewhere in an annotation, such as that of a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _describe(value: object) -> str:
    # Never the value itself: it may be a secret.
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def _leave_out(data: Any, location: _Location, kind: str) -> _Location | None:
    """Take the place named by ``location`` out of ``data``; returns what was taken out, or None for everything."""
    if not location:
        return None
    *parents, last = location
    here: Any = data
    for depth, key in enumerate(parents):
        below = _child(here, key)
        if below is _ABSENT:
            return _leave_out(data, tuple(parents[:depth]), "")
        here = below
    if isinstance(here, list) and isinstance(last, int) and last < len(here):
        # The other items keep their numbers, so the place is filled rather than removed.
        if kind not in _STAND_INS:
            return _leave_out(data, tuple(parents), "")
        here[last] = copy.copy(_STAND_INS[kind])
        return (*parents, last)
    if isinstance(here, dict):
        key = _spelling(here, last)
        if key is not _ABSENT:
            del here[key]
            return (*parents, last)
    return _leave_out(data, tuple(parents), "")


_ABSENT = object()


def _child(here: Any, key: int | str) -> Any:
    if isinstance(here, list):
        return here[key] if isinstance(key, int) and key < len(here) else _ABSENT
    if isinstance(here, dict):
        found = _spelling(here, key)
        return _ABSENT if found is _ABSENT else here[found]
    return _ABSENT


def _spelling(here: dict[Any, Any], key: int | str) -> Any:
    """The key by which ``here`` holds the field: camelCase, or else snake_case."""
    if key in here:
        return key
    return next((other for other in here if isinstance(other, str) and to_camel(other) == key), _ABSENT)
