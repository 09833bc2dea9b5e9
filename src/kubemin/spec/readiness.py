"""Readiness as data: when an object is ready, has failed, or is on its way, as CEL expressions say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

from pydantic import Field

from kubemin.spec.cel import mistake_in
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.kinds import kind_name
from kubemin.spec.labels import FAILED, READY
from kubemin.spec.model import SpecModel, Text

_OBSERVED = "observedGeneration"


class ReadinessRule(SpecModel):
    """When objects of some kinds are ready. The first expression that is true decides: failed, current, in progress."""

    kinds: list[Text] = Field(
        default=[], description="`Certificate.cert-manager.io`, `*.cnpg.io`, `Job`: kinds, `*` for anything"
    )
    failed: Text = Field(default="", description="CEL: it will never be ready")
    current: Text = Field(default="", description="CEL: it is ready")
    in_progress: Text = Field(default="", description="CEL: it is not ready yet")
    message: Text = Field(default="", description="CEL: a text that says why, while it is not ready")

    @property
    def expressions(self) -> dict[str, str]:
        """Those that are given, by the name of the field."""
        found = {
            "failed": self.failed,
            "current": self.current,
            "inProgress": self.in_progress,
            "message": self.message,
        }
        return {name: text for name, text in found.items() if text}

    def fits(self, kind: str) -> bool:
        """Whether it is about this kind."""
        return any(fnmatchcase(kind, pattern) for pattern in self.kinds)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The rule that one object goes by; an expression that is not given is empty."""

    failed: str = ""
    current: str = ""
    in_progress: str = ""
    message: str = ""

    @property
    def sees_generations(self) -> bool:
        """Whether it says itself what a status is worth that is older than the object."""
        return _OBSERVED in f"{self.failed}{self.current}{self.in_progress}"

    def to_json(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Self:
        """The reverse of ``to_json``."""
        return cls(**data)


def readiness_of(manifest: Mapping[str, Any], rules: Iterable[ReadinessRule]) -> Readiness | None:
    """The rule for an object: that of its own annotations, else the first one that fits; None where there is none."""
    annotations = manifest["metadata"].get("annotations") or {}
    if annotations.get(READY) or annotations.get(FAILED):
        return Readiness(failed=annotations.get(FAILED, ""), current=annotations.get(READY, ""))
    kind = kind_name(manifest)
    rule = next((rule for rule in rules if rule.fits(kind)), None)
    return None if rule is None else Readiness(rule.failed, rule.current, rule.in_progress, rule.message)


def check_rules(rules: Sequence[ReadinessRule], what: str, path: str) -> Iterator[Issue]:
    """What is wrong with rules."""
    for index, rule in enumerate(rules):
        here = f"{path}[{index}]"
        if not rule.kinds:
            message = f"{what}: a readiness rule does not say of which kinds it is."
            yield Issue(f"{here}.kinds", IssueCode.MISSING_REQUIRED_FIELD, message)
        if not (rule.failed or rule.current or rule.in_progress):
            message = f"{what}: a readiness rule says neither what failed, what is current, nor what is in progress."
            yield Issue(f"{here}.current", IssueCode.MISSING_REQUIRED_FIELD, message)
        for name, expression in rule.expressions.items():
            yield from _check_expression(expression, what, f"{here}.{name}")


def check_annotations(annotations: Mapping[str, str], what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the rule in an object's annotations; ``path`` is theirs."""
    for name in (READY, FAILED):
        if name in annotations:
            yield from _check_expression(annotations[name], what, f"{path}.{name}")


def _check_expression(expression: str, what: str, path: str) -> Iterator[Issue]:
    mistake = mistake_in(expression) if expression else "it is empty"
    if mistake:
        yield Issue(
            path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} is no expression that could be used: {mistake}."
        )
