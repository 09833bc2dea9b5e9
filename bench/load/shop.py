"""An application that is deployed again and again, and what each of its tasks is to bring about."""

import random
from dataclasses import dataclass, field
from typing import Any

SPEED = 20.0
"""Of the cluster: a Deployment then has 30 s before it is given up."""

FATES = {"good": 8, "slow": 3, "bad": 2, "cancel": 3, "delete": 1}
"""How often each comes: it completes at once, or after some seconds, fails, is cancelled; the application is deleted.
"""
NAMESPACES = ("load-a", "load-b", "load-c")
ENDS = {"good": "completed", "slow": "completed", "bad": "failed", "cancel": "cancelled", "delete": "completed"}


@dataclass
class Turn:
    """One task that was asked for."""

    number: int
    fate: str
    task_id: str
    ended: bool = False
    """Whether somebody has waited for its end."""


@dataclass
class Shop:
    """``turns`` are those that a server has accepted, in their order."""

    number: int
    turns: list[Turn] = field(default_factory=list)
    app_id: str = ""

    @property
    def name(self) -> str:
        """Its name: objects are called by their components, which have the number too."""
        return f"shop-{self.number}"

    @property
    def namespace(self) -> str:
        """Where it is."""
        return NAMESPACES[self.number % len(NAMESPACES)]

    def fate(self, chance: random.Random) -> str:
        """What its next task is to become. Only what is there is deleted."""
        there = bool(self.turns) and self.turns[-1].fate != "delete"
        fates = [fate for fate in FATES if there or fate != "delete"]
        return chance.choices(fates, [FATES[fate] for fate in fates])[0]

    def application(self, turn: int, fate: str) -> dict[str, Any]:
        """Each turn has another configuration and another image; each third has an object more."""
        image = f"web:{turn}-" + {"slow": "slow-40", "bad": "pull"}.get(fate, "1")
        web = {"name": f"api-{self.number}", "type": "webservice", "image": image}
        parts = [config(f"settings-{self.number}", turn), {**web, "properties": {"ports": [{"port": 80}]}}]
        if has_more(turn):
            parts.append(config(f"more-{self.number}", turn))
        if fate == "cancel":  # a StatefulSet, which no controller gives up
            parts.append({"name": f"stuck-{self.number}", "type": "store", "image": "never:1"})
        return {"name": self.name, "namespace": self.namespace, "component": parts}


def config(name: str, turn: int) -> dict[str, Any]:
    """A ConfigMap that says which turn wrote it."""
    return {"name": name, "objectName": name, "type": "config", "properties": {"conf": {"turn": str(turn)}}}


def has_more(turn: int) -> bool:
    """Whether the application of this turn has an object more than that of the next."""
    return turn % 3 == 1
