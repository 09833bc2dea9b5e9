"""Random scripts. The simplest choice of everything is nothing: so a failure shrinks to what it needs."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.proof.extras import CONFIGS, EXTRAS, RUNNING, allowed
from tests.proof.manifests import DEFINITION
from tests.proof.script import (
    Again,
    Cancel,
    Create,
    Cut,
    Delete,
    Deny,
    Edit,
    Event,
    Evict,
    Expire,
    Foreign,
    Kill,
    Outage,
    Part,
    Pause,
    Promote,
    Release,
    Remove,
    Round,
    Save,
    Script,
    Target,
    Trouble,
)

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
TYPES = ("config", "secret", "webservice", "store", "daemon", "job", "cronjob", "manifests")
NO_PODS = ("config", "secret", "manifests")
RUNS = ("job", "cronjob")
BROUGHT = ("definition", "role", "before", "after")
"""What else a component of the type manifests brings."""
ROLLING = ("", "rolling", "recreate")
BESIDE = ("canary", "canary-counts", "canary-held")
SWITCHED = ("blue-green", "blue-green-waits", "blue-green-held")
LAST_POINT = 400
MOST_EXTRAS = 5
HOW = ("exec", "exec", "apply", "apply", "rollback", "rollback-1", "restart")
"""What a run is of."""
STEPS = ("DAG", "DAG", "DAG", "StepByStep", "Continue", "Timeout", "Last", "Pause", "Pauses", "Half", "Half")

_points = st.one_of(st.integers(1, 40), st.integers(1, 120), st.integers(1, LAST_POINT))


def _pick(draw: st.DrawFn, *options: str) -> str:
    return options[draw(st.integers(0, len(options) - 1))]


@st.composite
def parts_(draw: st.DrawFn, version: int = 1, most: int = 12) -> tuple[Part, ...]:
    """The components of an application."""
    count = draw(st.integers(1, most))
    return _reading(draw, tuple(_part(draw, name, version) for name in NAMES[:count]))


def _reading(draw: st.DrawFn, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same; some of those with Pods read one of the others."""
    sources = [f"{part.type} {part.name}" for part in parts if part.type in CONFIGS and not _is_elsewhere(part)]
    if not sources:
        return parts
    return tuple(
        replace(part, reads=_pick(draw, "", *sources)) if part.type in RUNNING and not _is_elsewhere(part) else part
        for part in parts
    )


def _is_elsewhere(part: Part) -> bool:
    """Whether it is in another namespace than the others: Pods cannot read from there."""
    return "elsewhere" in part.extras


def _part(draw: st.DrawFn, name: str, version: int) -> Part:
    kind = _pick(draw, *TYPES)
    if kind == "manifests":
        return Part(name, kind, version, extras=_several(draw, BROUGHT))
    ports, volume = (draw(st.booleans()) for _ in range(2)) if kind in RUNNING else (False, False)
    wanted = _several(draw, tuple(name for name, extra in EXTRAS.items() if kind in extra.types))
    extras = tuple(allowed(wanted, kind, ports=ports))
    if kind in CONFIGS:
        return Part(name, kind, version, extras=extras if draw(st.booleans()) else ())
    # In the order of how often, not of how simple: most deploys are to get far.
    fate = _pick(draw, *[""] * 9, "slow-20", "never", "pull", "crash")
    replicas = draw(st.integers(1, 3)) if kind not in RUNS else 1
    part = Part(name, kind, version, fate, replicas, ports, volume, extras)
    return replace(part, way=_way(draw, part))


def _several(draw: st.DrawFn, names: Sequence[str]) -> tuple[str, ...]:
    """None to some of these, in any order: of a group the first counts."""
    return tuple(draw(st.lists(st.sampled_from(names), max_size=MOST_EXTRAS, unique=True)))


def _way(draw: st.DrawFn, part: Part) -> str:
    """A strategy that the component can have; its Ingress may be one whose controller gives a canary a weight."""
    if part.type not in ("webservice", "store") or not draw(st.booleans()):
        return ""
    return _pick(draw, *ROLLING, *_beside([part]))


def _beside(parts: Sequence[Part]) -> tuple[str, ...]:
    """The strategies by which new Pods come beside the old ones that some of these can have."""
    found = [part for part in parts if part.type == "webservice"]
    return (*(BESIDE if found else ()), *(SWITCHED if any(part.ports for part in found) else ()))


def _of_run(draw: st.DrawFn, parts: tuple[Part, ...]) -> str:
    """Of a run: mostly as its components say."""
    if not any(part.type in ("webservice", "store") for part in parts) or draw(st.integers(0, 3)) < 3:
        return ""
    return _pick(draw, *ROLLING, *_beside(parts))


@st.composite
def next_parts(draw: st.DrawFn, parts: tuple[Part, ...], version: int) -> tuple[Part, ...]:
    """A next version of an application: some components changed, some dropped, some new."""
    changed = []
    for part in parts:
        match _pick(draw, "as it was", "changed", "changed", "dropped", "other"):
            case "as it was":
                changed.append(part)
            case "changed":
                fate = _pick(draw, "", "", "", "pull", "never") if part.type not in NO_PODS else ""
                replicas = draw(st.integers(1, 3)) if part.type not in (*NO_PODS, *RUNS) else 1
                new = replace(part, version=version, fate=fate, replicas=replicas)
                changed.append(replace(new, way=_way(draw, new)))
            case "other":
                changed.append(_part(draw, part.name, version))
            case _:
                pass
    fresh = [name for name in NAMES if name not in {part.name for part in parts}]
    changed += [_part(draw, name, version) for name in fresh[: draw(st.integers(0, 2))]]
    return tuple(changed) or (Part("a", "config", version),)


def _replaced(draw: st.DrawFn, parts: tuple[Part, ...], version: int) -> tuple[Part, ...]:
    """The next version of all of them; the Pods of some are replaced by a strategy."""
    changed = []
    for part in parts:
        if part.type == "webservice":
            fate = _pick(draw, *[""] * 5, "slow-20", "never", "pull", "crash")
            way = _pick(draw, *_beside([part]), *ROLLING)
            part = replace(part, fate=fate, replicas=draw(st.integers(1, 3)), way=way)
        changed.append(replace(part, version=version))
    return tuple(changed)


def _served(draw: st.DrawFn, part: Part) -> Part:
    """The same with Pods that a Service selects, and that get ready."""
    extras = tuple(allowed(part.extras, "webservice", ports=True)) if part.type in RUNNING else ()
    served = replace(part, type="webservice", ports=True, extras=extras, fate="")
    return replace(served, way=_way(draw, served))


def _target(draw: st.DrawFn, parts: tuple[Part, ...], but: tuple[str, ...] = ()) -> Target:
    part = parts[draw(st.integers(0, len(parts) - 1))]
    kinds = [kind for kind in part.kinds if kind not in but]
    kind = kinds[draw(st.integers(0, len(kinds) - 1))]
    beside = part.type == "webservice" and kind in ("Deployment", "Service", "Ingress")
    return Target(part.name, kind, _pick(draw, *[""] * 4, "canary", "green") if beside else "")


_NEEDED = ("ServiceAccount", "PersistentVolumeClaim", DEFINITION)
"""What Pods and custom resources need: without it what is put back cannot be there again, and is rightly said to be
incomplete."""


def _foreign(draw: st.DrawFn, parts: tuple[Part, ...]) -> Foreign:
    flavour = _pick(draw, "other", "other", "other", "more", "immutable", "another application", "broken")
    return Foreign(_takeable(draw, parts), flavour, draw(st.booleans()))


def _takeable(draw: st.DrawFn, parts: tuple[Part, ...]) -> Target:
    """Not a Deployment with a volume: as theirs it would use our claim beyond us, which then rightly cannot go."""
    target = _target(draw, parts)
    part = next(part for part in parts if part.name == target.part)
    return Target(part.name, "PersistentVolumeClaim") if part.volume and target.kind == "Deployment" else target


RESOURCES = (
    "*",
    "*",
    "*",
    "configmaps",
    "secrets",
    "services",
    "deployments",
    "statefulsets",
    "persistentvolumeclaims",
    "replicasets",
    "controllerrevisions",
    "jobs",
)


DENIED = ("configmaps", "secrets", "services", "deployments", "statefulsets", "persistentvolumeclaims", "jobs")


@st.composite
def troubles_(draw: st.DrawFn) -> Trouble:
    """A fault of the API server."""
    action = _pick(draw, "drop", "drop", "status", "status", "late", "latency", "hold", "stick", "lag")
    resource = _pick(draw, *RESOURCES)
    skip = draw(st.integers(0, 4))
    times: int | None = draw(st.sampled_from([1, 1, 1, 2, 4, None]))
    if action == "lag":  # not for ever: nobody could tell what a controller makes hours later from what it should make
        return Trouble(action, "*", resource, skip, times, seconds=draw(st.sampled_from([0.02, 0.1, 0.3])))
    if action == "stick":
        return Trouble(action, "*", resource, skip, times)
    verb = _pick(draw, "write", "create", "apply", "patch", "update", "delete", "get", "list", "read", "watch")
    when = _pick(draw, "before", "after")
    if action == "late":
        when = "before"
        verb = verb if verb not in ("get", "list", "read", "watch") else "write"
    # A refusal is an answer: it means that nothing was done.
    codes = [500, 503, 504] if when == "after" else [500, 503, 504, 429, 403, 409, 401]
    code = draw(st.sampled_from(codes)) if action == "status" else 503
    if action == "latency":
        return Trouble(action, verb, resource, skip, times, when, seconds=draw(st.sampled_from([0.01, 0.05, 0.3])))
    if action == "hold":
        times = 1
    return Trouble(action, verb, resource, skip, times, when, code)


def _event(draw: st.DrawFn, parts: tuple[Part, ...], version: int) -> Event:
    at = draw(_points)
    rare = ("kill", "pause", "expire", "cut", "again", "other", "outage", "release", "remove", "deny", "deny", "save")
    match _pick(draw, "cancel", "edit", "evict", "delete", "cancel", "edit", "delete", "create", *rare):
        case "cancel":
            return Cancel(at, draw(st.integers(0, 9)) == 9, _pick(draw, *[""] * 5, "none"))
        case "edit":
            what = _pick(draw, "add", "add", "overwrite", "strip", "scale", "inject", "inject", "hold", "remake")
            return Edit(at, _target(draw, parts), what)
        case "delete":
            return Delete(at, _target(draw, parts, _NEEDED))
        case "evict":
            return Evict(at, _target(draw, parts), draw(st.booleans()))
        case "create":
            return Create(at, _takeable(draw, parts))
        case "kill":
            return Kill(at)
        case "pause":
            return Pause(at)
        case "expire":
            return Expire(at)
        case "cut":
            return Cut(at, draw(st.booleans()))
        case "outage":
            return Outage(at)
        case "release":
            return Release(at)
        case "remove":
            how = _pick(draw, "", "keep", "volumes", "keep volumes", "release", "release")
            return Remove(at, "keep" in how, "volumes" in how, "release" in how)
        case "deny":
            at = 1 if draw(st.booleans()) else at
            full, lasts = draw(st.booleans()), draw(st.booleans())
            return Deny(at, _pick(draw, *DENIED), full, lasts, draw(st.sampled_from([403, 422])))
        case "save":
            return Save(at, draw(next_parts(parts, version + 1)))
        case "other":
            parts = draw(parts_(version, 4))
            return Again(at, parts, "queue", "other", _pick(draw, "exec", "apply"), _of_run(draw, parts))
        case _:
            on_active, parts = _pick(draw, "queue", "supersede", "reject"), draw(next_parts(parts, version + 1))
            return Again(at, parts, on_active, how=_pick(draw, *HOW), way=_of_run(draw, parts))


def _promotes(draw: st.DrawFn, steps: str, parts: tuple[Part, ...], way: str) -> tuple[Promote, ...]:
    """Mostly somebody promotes each pause; sometimes nobody does."""
    pauses = {"Pause": 1, "Pauses": 2}.get(steps, 0)
    pauses += sum(2 for part in parts if (way or part.way).endswith("held"))
    if not pauses:
        return ()
    count = draw(st.integers(0, 2 * pauses))
    return tuple(Promote(1 if draw(st.booleans()) else draw(_points)) for _ in range(min(count, pauses)))


@st.composite
def scripts(draw: st.DrawFn, most_rounds: int = 3, most_parts: int = 12) -> Script:
    """Anything."""
    rounds: list[Round] = []
    version = 1
    parts = draw(parts_(version, most_parts))
    replacing = most_rounds > 1 and draw(st.booleans())  # one version after the other, by strategies

    namespace = "default" if replacing else _pick(draw, "default", "default", "default", "team")
    forgets = draw(st.booleans())
    count = draw(st.integers(3, most_rounds + 3) if forgets else st.integers(1 + replacing, most_rounds))
    if count > 1 and (replacing or draw(st.booleans())):  # a revision to go back to, or to start again
        parts = tuple(replace(part, fate="") for part in parts)
        if replacing:
            parts = (_served(draw, parts[0]), *parts[1:])
        rounds.append(Round(parts, how=_pick(draw, "exec", "apply"), namespace=namespace))
    for number in range(len(rounds), count):
        if number:
            version += 2
            parts = _replaced(draw, parts, version) if replacing else draw(next_parts(parts, version))
        steps, way = _pick(draw, *STEPS), _of_run(draw, parts)
        strangers = draw(st.integers(0, 3)) if namespace == "default" and not replacing else 0
        there = tuple(_foreign(draw, parts) for _ in range(strangers))
        rounds.append(
            Round(
                parts,
                there,
                tuple(draw(troubles_()) for _ in range(draw(st.integers(0, 1 if replacing else 3)))),
                (
                    *(_event(draw, parts, version) for _ in range(draw(st.integers(0, 4)))),
                    *_promotes(draw, steps, parts, way),
                ),
                app=_pick(draw, "shop", "shop", "shop", "other"),
                seconds=6.0 if replacing else 2.0,
                steps=steps,
                how=_pick(draw, *HOW) if number and not replacing else _pick(draw, "exec", "apply"),
                way=way,
                preflight=draw(st.booleans()),
                namespace=namespace,
                adopt=draw(st.integers(0, 2)) < 2,
                take_over=draw(st.integers(0, 2)) == 2,
                delete_volumes=draw(st.integers(0, 3)) == 3,
                abandon=draw(st.booleans()),
            )
        )
    sharing = draw(st.integers(0, 4)) == 4
    return Script(tuple(map(_sharing, rounds)) if sharing else tuple(rounds), forgets=forgets)


def _sharing(round_: Round) -> Round:
    """The same, with everything shared that people like to share."""
    events = (
        replace(event, parts=_shared(event.parts)) if isinstance(event, Again | Save) else event
        for event in round_.events
    )
    return replace(round_, parts=_shared(round_.parts), events=tuple(events))


def _shared(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(replace(part, extras=("share",)) if part.type in ("config", "secret") else part for part in parts)
