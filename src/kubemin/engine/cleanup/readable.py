"""Rows of the journal whose text cannot be opened: such a row is named, and costs no other anything."""

from kubemin.engine.errors import StillThere
from kubemin.engine.journal.rows import Resource
from kubemin.spec.states import Purpose

_WHAT = {"before": "what it was before", "applied": "what was written", "dependents": "what was made for it"}
_ADVICE = "give the workers its key, or put it back by hand and give the rest up (kubemin cleanup TASK --abandon)"


def check_readable(row: Resource, *fields: str) -> None:
    """Raise `StillThere` where one of these cannot be opened. It says why, and what to do."""
    if "before" in fields and row.before is not None and row.purpose is Purpose.APPLY and "kind" not in row.before:
        raise StillThere(row.ref, "it stays as it is, as what it was before is forgotten (KUBEMIN_KEEP_REVISIONS)")
    for name in fields:
        if why := row.unreadable.get(name):
            raise StillThere(row.ref, f"it stays as it is, as {_WHAT[name]} is not known: {why}; {_ADVICE}")
