"""The reference has every metric that a server and a worker export: those that are counted, and those of others."""

import re
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from kubemin.api.metrics import Measured, text
from kubemin.cluster.request_metrics import RequestMetrics
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, EngineSettings
from kubemin.notifications.deliverer import Deliverer
from kubemin.notifications.drift import Drift, DriftSettings
from kubemin.signals import LocalSignals
from kubemin.store import Database
from tests.docs.reference.__main__ import FOLDER

_TYPE = re.compile(r"^# TYPE (\S+) ", re.MULTILINE)


def listed(heading: str) -> set[str]:
    """The metrics below a heading of the page."""
    section = (FOLDER / "metrics.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`((?:kubemin|process)_\w*\*?)`", section))


def exported(exposition: bytes) -> set[str]:
    """The metrics of a reply; ``process_*`` is one, and when something was created is no metric of its own."""
    names = {name for name in _TYPE.findall(exposition.decode()) if not name.endswith("_created")}
    return {re.sub(r"^process_.*", "process_*", name) for name in names}


async def test_every_metric_is_explained(tmp_path: Path) -> None:
    registry, nothing = CollectorRegistry(), cast(Any, None)
    ProcessCollector(registry=registry)
    RequestMetrics(registry)
    of_both = exported(generate_latest(registry))
    Engine(nothing, [], LocalSignals(), LocalDoorbell(), EngineSettings(), "worker", registry)
    of_worker = exported(generate_latest(registry))
    Measured(nothing, registry=registry)
    Deliverer(nothing, [], nothing, registry)
    Drift(nothing, {}, DriftSettings(1), registry)
    db = await Database.open(f"sqlite:///{tmp_path}/kubemin.db")
    try:
        await db.migrate()
        of_server = exported(await text(registry, db, {"1": None}))
    finally:
        await db.aclose()
    assert listed("Of both") == of_both
    assert listed("Of a worker") == of_worker - of_both
    assert listed("Of a server") == of_server - of_worker
