"""Log lines are data: an event has a constant name, and its values are fields, with one name for one thing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import kubemin

SOURCES = Path(kubemin.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
FIELDS = {
    "address",
    "advice",
    "after_seconds",
    "application",
    "attempt",
    "before",
    "caller",
    "calls",
    "cluster",
    "code",
    "component",
    "dead",
    "drain_seconds",
    "error",
    "for_seconds",
    "how",
    "namespace",
    "notification",
    "messages",
    "object",
    "of",
    "path",
    "policy",
    "reason",
    "role",
    "server",
    "sessions",
    "status",
    "step",
    "target",
    "task",
    "tasks",
    "times",
    "token",
    "type",
    "why",
    "worker",
}
"""All fields but ``trace_id`` and ``span_id``, which each line may have. A new one is for what none of these names."""
RECORDS = {"audit"}
"""Lines that are a record which is elsewhere too, and have its fields: that of the audit has those of its row."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call of a logger, with its place."""
    for path in sorted(SOURCES.rglob("*.py")):
        if path.name == "repeated.py":
            continue  # its lines are those that its callers give, which are checked there
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr=level, value=ast.Name(id="log" | "_log"))) if level in LEVELS:
                    yield f"{path.relative_to(SOURCES)}:{node.lineno}", node
                case ast.Call(func=ast.Attribute(attr=level, value=ast.Attribute(attr="_log"))) if level in LEVELS:
                    yield f"{path.relative_to(SOURCES)}:{node.lineno}", node
                case ast.Call(func=ast.Name(id="Repeated"), args=[_, what]):
                    said = ast.Call(node.func, [what], node.keywords)
                    yield f"{path.relative_to(SOURCES)}:{node.lineno}", said


def is_constant_sentence(call: ast.Call) -> bool:
    """A few words, without values, dots or marks of a format."""
    match call.args:
        case [ast.Constant(value=str(said))]:
            return 0 < len(said) <= 80 and not set(said) & set("%{}\n") and not said.endswith(".")
    return False


def is_record(call: ast.Call) -> bool:
    return is_constant_sentence(call) and ast.literal_eval(call.args[0]) in RECORDS


def test_events_have_constant_names() -> None:
    found = list(calls())
    assert len(found) > 25
    assert [place for place, call in found if not is_constant_sentence(call)] == []


def test_the_same_thing_has_the_same_name() -> None:
    unknown = {
        place: sorted(names)
        for place, call in calls()
        if not is_record(call)
        if (names := {one.arg for one in call.keywords if one.arg is not None} - FIELDS)
    }
    assert unknown == {}


def test_each_record_is_told_in_one_place() -> None:
    found = [(place.partition(":")[0], ast.literal_eval(call.args[0])) for place, call in calls() if is_record(call)]
    assert found == [("api/audit_log.py", "audit")]


def test_a_logger_is_found_by_these_names_only() -> None:
    """So that no call is missed above."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and "get_logger" in ast.dump(node.value):
                (target,) = node.targets
                assert ast.unparse(target) in ("log", "_log", "self._log"), path
