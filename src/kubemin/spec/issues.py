"""What is wrong with an application: codes, places and sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Any, Self

_MOST_WORDS = 100
"""Of more words none is looked for, and none are told: each comparison takes time, and a reply has to be short."""
_LONGEST_WORD = 100
_LONGEST_TEXT = 2000
_LIKE = 0.7
"""How alike two words are at least, as `difflib` has it: such as two of four letters that differ in one."""

MAX_ISSUES = 1000
"""After so many nobody looks for more: a megabyte of mistakes helps nobody, and takes long to find."""


class IssueCode(StrEnum):
    """Kinds of mistakes. Clients compare these words: they are never renamed."""

    MISSING_REQUIRED_FIELD = "MISSING_REQUIRED_FIELD"
    NAME_TOO_SHORT = "NAME_TOO_SHORT"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    INVALID_NAME_FORMAT = "INVALID_NAME_FORMAT"
    DUPLICATE_COMPONENT = "DUPLICATE_COMPONENT"
    INVALID_COMPONENT_TYPE = "INVALID_COMPONENT_TYPE"
    MISSING_IMAGE = "MISSING_IMAGE"
    INVALID_STORAGE_TYPE = "INVALID_STORAGE_TYPE"
    INVALID_STORAGE_SIZE = "INVALID_STORAGE_SIZE"
    INVALID_PROBE_TYPE = "INVALID_PROBE_TYPE"
    INVALID_PROBE_CONFIG = "INVALID_PROBE_CONFIG"
    NESTED_TRAIT_FORBIDDEN = "NESTED_TRAIT_FORBIDDEN"
    MISSING_RBAC_RULES = "MISSING_RBAC_RULES"
    MISSING_RBAC_VERBS = "MISSING_RBAC_VERBS"
    MISSING_INGRESS_ROUTES = "MISSING_INGRESS_ROUTES"
    MISSING_SERVICE_NAME = "MISSING_SERVICE_NAME"
    INVALID_ENV_FROM_TYPE = "INVALID_ENV_FROM_TYPE"
    INVALID_ENV_VALUE_SOURCE = "INVALID_ENV_VALUE_SOURCE"
    INVALID_TRAIT_CONFIG = "INVALID_TRAIT_CONFIG"
    DUPLICATE_WORKFLOW_STEP = "DUPLICATE_WORKFLOW_STEP"
    COMPONENT_NOT_FOUND = "COMPONENT_NOT_FOUND"

    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    INVALID_FIELD_VALUE = "INVALID_FIELD_VALUE"
    """A value of the wrong type or range outside the traits; inside them it is ``INVALID_TRAIT_CONFIG``."""
    TOO_MANY_COMPONENTS = "TOO_MANY_COMPONENTS"
    DUPLICATE_OBJECT = "DUPLICATE_OBJECT"
    """Two parts of the application would make Kubernetes objects of one kind and name."""
    TEMPLATE_NOT_FOUND = "TEMPLATE_NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    """Possible, but refused unless the setting that the message names allows it."""


class WarningCode(StrEnum):
    """Kinds of what is allowed, and probably not meant. Clients compare these words too."""

    COMPONENT_IN_NO_STEP = "COMPONENT_IN_NO_STEP"
    """The workflow leaves a component as it is."""
    HELM_HOOK = "HELM_HOOK"
    """An object has a meaning for Helm that it does not have here."""
    NOT_IN_APPLICATION = "NOT_IN_APPLICATION"
    """An object is named that no component makes, and that is not in the cluster, if that was asked."""
    UNKNOWN_HOST = "UNKNOWN_HOST"
    """A variable holds the address of a Service that no component makes, and that is not in the cluster either."""
    UNFILLED_VARIABLE = "UNFILLED_VARIABLE"
    """A value holds ``${NAME}``, which nobody fills in."""
    UNPINNED_IMAGE = "UNPINNED_IMAGE"
    """An image has the tag ``latest``, or none."""
    AUTOSCALER_OFF = "AUTOSCALER_OFF"
    """With 0 replicas an autoscaler does nothing."""
    DISRUPTION_BUDGET_NEVER_LETS_GO = "DISRUPTION_BUDGET_NEVER_LETS_GO"
    """No Pod may ever be moved: a node that has one cannot be drained."""
    CLAIMS_DELETED = "CLAIMS_DELETED"
    """A StatefulSet has its volume claims deleted, with their data."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One mistake: where (``component[1].traits.probes[0]``), which kind, and a sentence for a person.

    Of an unknown word, be it the name of a field or a value, also which are known there, and the one most like it.
    """

    field: str
    code: str
    message: str
    nearest: str | None = None
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A name may be as long as what was sent, and each mistake repeats it.
        for name in ("field", "message"):
            if len(text := getattr(self, name)) > _LONGEST_TEXT:
                object.__setattr__(self, name, f"{text[: _LONGEST_TEXT - 100]} … {text[-90:]}")

    @classmethod
    def of_word(cls, field: str, code: str, sentence: str, given: str, known: Iterable[str]) -> Self:
        """That of a word that is not one of those that are known; ``sentence`` has no end yet."""
        allowed = tuple(known)
        if len(allowed) > _MOST_WORDS or sum(map(len, allowed)) > _MOST_WORDS * _LONGEST_WORD:
            return cls(field, code, f"{sentence}.")
        by_lower = {word.lower(): word for word in reversed(allowed)}
        found = get_close_matches(given[:_LONGEST_WORD].lower(), by_lower, n=1, cutoff=_LIKE) if given else []
        nearest = by_lower[found[0]] if found else None
        if nearest is not None:
            return cls(field, code, f'{sentence}; did you mean "{nearest}"?', nearest, allowed)
        known_are = f"; known are {', '.join(allowed)}" if allowed else ""
        return cls(field, code, f"{sentence}{known_are}.", None, allowed)

    def to_json(self) -> dict[str, Any]:
        """As the wire spells it."""
        known = {"nearest": self.nearest, "allowed": list(self.allowed)}
        said = {"field": self.field, "code": str(self.code), "message": self.message}
        return said | {key: value for key, value in known.items() if value}


def first(issues: Iterable[Issue]) -> list[Issue]:
    """So many issues as are reported; no more are looked for."""
    return list(islice(issues, MAX_ISSUES))


def and_more(issues: Sequence[Issue]) -> str:
    """How many there are beside the first one, to follow its sentence."""
    more = len(issues) - 1
    least = "at least " if len(issues) >= MAX_ISSUES else ""
    return f" (and {least}{more} more)" if more else ""


class SpecError(Exception):
    """An application or workflow that cannot be taken. ``issues`` holds what is wrong with it, up to `MAX_ISSUES`."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues[:MAX_ISSUES])
        super().__init__(self.issues[0].message + and_more(self.issues))
