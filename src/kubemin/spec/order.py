"""The order in which objects of the type ``manifests`` are written: `kubemin.io/priority`, and Helm's hooks. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.kinds import kind_name, written
from kubemin.spec.labels import PRIORITY

HOOK = "helm.sh/hook"
WEIGHT = "helm.sh/hook-weight"
POLICY = "helm.sh/hook-delete-policy"

On = Literal["install", "upgrade"]
When = Literal["pre", "post"]

RUN = ("pre-install", "pre-upgrade", "post-install", "post-upgrade")
TESTS = frozenset({"test", "test-success", "test-failure"})
PLAIN = "crd-install"
"""Of an old Helm. A definition comes first here anyway."""
SUCCEEDED = "hook-succeeded"
_POLICIES = frozenset({"before-hook-creation", SUCCEEDED, "hook-failed"})

HIGHEST = 10_000
"""Of what `kubemin.io/priority` may say, in both directions."""
_HEAVIEST = 100_000
_FAR = 1_000_000
"""Hooks are so far from everything else, before or after it."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,7}")


@dataclass(frozen=True, slots=True)
class Hook:
    """A part of a chart that Helm runs beside it.

    ``when``: before everything else of its step, or after all of it is ready. ``on``: in which runs; none where the run
    is neither. Hooks run one after another, by ``weight``.
    """

    when: When
    on: tuple[On, ...]
    weight: int = 0
    goes: bool = False
    """Whether it is deleted once the run is complete (``hook-succeeded``)."""

    @property
    def priority(self) -> int:
        """Its place among everything."""
        return (-_FAR if self.when == "pre" else _FAR) + self.weight

    @property
    def said(self) -> str:
        """For people: ``hook pre-install, pre-upgrade, weight -5, deleted once all is done``."""
        names = ", ".join(f"{self.when}-{one}" for one in self.on) or self.when
        return f"hook {names}, weight {self.weight}{', deleted once all is done' if self.goes else ''}"

    def why_not(self, *, deployed: bool) -> str | None:
        """Why a run leaves it out, for people; ``deployed``: whether a former run has deployed its component."""
        if not self.on:
            return "a rollback runs no hooks"
        run: On = "upgrade" if deployed else "install"
        if run in self.on:
            return None
        return "it is a hook of the first deploy" if deployed else "it is a hook of later deploys"

    def never(self) -> Self:
        """The same, in a run that runs no hooks."""
        return replace(self, on=())

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"when": self.when, "on": list(self.on), "weight": self.weight, "goes": self.goes}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of ``to_json``."""
        return cls(data["when"], tuple(data["on"]), data["weight"], data["goes"])


def hook_names(one: Any) -> list[str]:
    """What an object's annotation says of hooks."""
    given = annotations_of(one).get(HOOK)
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else []


def is_left_out(one: Any) -> bool:
    """Whether an object is only there for what is not run here: tests, removals, rollbacks."""
    names = hook_names(one)
    return bool(names) and not any(name in (*RUN, PLAIN) for name in names)


def hooks_of(manifest: Mapping[str, Any]) -> list[Hook]:
    """The hooks that an object is: at most one before, and one after. None of an ordinary object.

    In one run it is written once: a hook that would be both before and after is before.
    """
    names, annotations = hook_names(manifest), annotations_of(manifest)
    weight = _whole(annotations.get(WEIGHT), _HEAVIEST) or 0
    goes = SUCCEEDED in _policies(annotations)
    pre: tuple[On, ...] = tuple(on for on in _ON if f"pre-{on}" in names)
    post: tuple[On, ...] = tuple(on for on in _ON if f"post-{on}" in names and on not in pre)
    both: tuple[tuple[When, tuple[On, ...]], ...] = (("pre", pre), ("post", post))
    return [Hook(when, on, weight, goes) for when, on in both if on]


_ON: tuple[On, ...] = ("install", "upgrade")


def priority_of(manifest: Mapping[str, Any]) -> int | None:
    """Where an object says itself when its turn comes; None where its kind does. Smaller is earlier."""
    if hooks := hooks_of(manifest):
        return hooks[0].priority
    return _whole(annotations_of(manifest).get(PRIORITY), HIGHEST)


def place_of(manifest: Mapping[str, Any]) -> int:
    """The same, and its kind's place where it does not say."""
    own = priority_of(manifest)
    return written(kind_name(manifest)).priority if own is None else own


def annotations_of(one: Any) -> Mapping[str, Any]:
    """The annotations of an object that nobody has checked yet."""
    meta = one.get("metadata") if isinstance(one, dict) else None
    found = meta.get("annotations") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}


def check_order_of(one: Mapping[str, Any], what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the annotations that say when an object's turn comes; ``path`` is theirs."""
    given = annotations_of(one)
    for name, most in ((PRIORITY, HIGHEST), (WEIGHT, _HEAVIEST)):
        text = given.get(name)
        if text is not None and _whole(text, most) is None:
            message = f'{what}: {path}.{name} is "{text[:80]}": it must be a whole number from {-most} to {most}.'
            yield Issue(f"{path}.{name}", IssueCode.INVALID_FIELD_VALUE, message)
    if PRIORITY in given and any(name in RUN for name in hook_names(one)):
        message = f"{what}: {path} has {PRIORITY} and {HOOK}: the order of a hook is its {WEIGHT}."
        yield Issue(f"{path}.{PRIORITY}", IssueCode.INVALID_FIELD_VALUE, message)
    if unknown := sorted(_policies(given) - _POLICIES):
        message = f"{what}: {path}.{POLICY} names {', '.join(unknown)[:80]}; known are {', '.join(sorted(_POLICIES))}."
        yield Issue(f"{path}.{POLICY}", IssueCode.INVALID_FIELD_VALUE, message)


def _whole(text: Any, most: int) -> int | None:
    """The number, where it is one: anybody may write anything into an annotation of an object in the cluster."""
    found = int(text) if isinstance(text, str) and _WHOLE.fullmatch(text) else None
    return found if found is None or abs(found) <= most else None


def _policies(annotations: Mapping[str, Any]) -> set[str]:
    return {part.strip() for part in str(annotations.get(POLICY, "")).split(",") if part.strip()}
