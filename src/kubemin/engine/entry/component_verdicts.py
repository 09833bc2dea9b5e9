"""What the objects of components come to, by the rules that runs go by too (`spec/readiness.py`)."""

from collections.abc import Mapping, Sequence

from kubemin.cluster.cached_readiness import readiness_from_cache
from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import Verdict
from kubemin.engine.deploy.rules import Rules
from kubemin.spec.kind import Health
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest
from kubemin.spec.readiness import Readiness, ReadinessRule, readiness_of
from kubemin.store import Database, revisions

_MOST = 1000
"""Of what is remembered."""


class Verdicts:
    """Remembers what rules said of an object as long as that does not change."""

    def __init__(self, db: Database, rules: Sequence[ReadinessRule]) -> None:
        """``rules``: those of the settings."""
        self._db = db
        self._rules = rules
        self._judge = Rules()
        self._of_components: dict[str, tuple[str, dict[str, list[ReadinessRule]]]] = {}
        """By application: the task that has brought what is deployed, and the rules in that, by component."""
        self._said: dict[tuple[str, str, Readiness], Verdict | None] = {}
        """By uid and version of the object, and rule."""

    async def rules_of(self, app_id: str) -> Mapping[str, Sequence[ReadinessRule]]:
        """The rules of an application's components, as they are deployed. Raises `StoreError`."""
        async with self._db.read() as tx:
            if (task_id := await revisions.current_task(tx, app_id)) is None:
                return {}
            known = self._of_components.get(app_id)
            if known is not None and known[0] == task_id:
                return known[1]
            row = await revisions.current(tx, app_id)
        parts = row.spec["component"] if row is not None else ()
        rules = {part["name"]: [ReadinessRule(**rule) for rule in part.get("readiness", ())] for part in parts}
        if len(self._of_components) >= _MOST:
            self._of_components.clear()
        self._of_components[app_id] = task_id, rules
        return rules

    async def of(
        self, informers: Informers, objects: Sequence[Manifest], rules: Sequence[ReadinessRule]
    ) -> list[tuple[Manifest, Verdict]]:
        """Those of a component's objects that say how it does, with the verdict on each. ``rules``: its own."""
        found = [(obj, await self._of(informers, obj, (*rules, *self._rules))) for obj in objects]
        return [(obj, verdict) for obj, verdict in found if verdict is not None]

    async def _of(self, informers: Informers, obj: Manifest, rules: Sequence[ReadinessRule]) -> Verdict | None:
        rule = readiness_of(obj, rules)
        said = await self._asked(rule, obj) if rule is not None else None
        if said is not None:
            return said
        return None if kind_of(kind_name(obj)).health is Health.ADDRESS else readiness_from_cache(informers, obj)

    async def _asked(self, rule: Readiness, obj: Manifest) -> Verdict | None:
        key = obj["metadata"]["uid"], obj["metadata"]["resourceVersion"], rule
        if key not in self._said:
            if len(self._said) >= _MOST:
                self._said.clear()
            self._said[key] = await self._judge.verdict(rule, obj)
        return self._said[key]

    async def aclose(self) -> None:
        """End what evaluates the rules; the next question begins it again."""
        await self._judge.aclose()
