"""Dashboard and alert rules ask for what there is: each metric and label is in a real scrape, each query is PromQL."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from kubemin.api.families import families_of
from kubemin.api.metrics import Measured, text
from kubemin.cluster import Cluster
from kubemin.cluster.request_metrics import RequestMetrics
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, ExecOptions
from kubemin.signals import LocalSignals
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.conftest import cluster, db, instance, sim
from tests.engine.instance import QUICK, Instance, conf, web
from tests.waiting import PATIENCE, until_true

__all__ = ["cluster", "db", "instance", "sim"]

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
OF_PROMETHEUS = frozenset({"job", "instance", "le"})
"""Labels that Prometheus or a histogram adds."""
_PLACES = {"$__rate_interval": "5m", "$job": ".*", "$instance": ".*"}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """Each query, with whose it is."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for place, value in _PLACES.items():
                query = query.replace(place, value)
            yield panel["title"], query


def selectors(query: str) -> list[tuple[str, set[str]]]:
    """Each metric that a query asks for, with the labels by which it chooses."""
    found = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, query
            found.append((node.name, {one.name for one in node.matchers.matchers}))
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def groupings(query: str) -> set[str]:
    """The labels by which a query groups."""
    found: set[str] = set()

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            found.update(node.modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


@pytest.fixture
async def scraped(instance: Instance) -> AsyncIterator[Mapping[str, set[str]]]:
    """The labels of each sample of a server with a worker that has deployed, failed and been cancelled."""
    registry, of_worker = CollectorRegistry(), CollectorRegistry()
    for one in (registry, of_worker):
        ProcessCollector(registry=one)
    Measured(None, registry=registry)  # type: ignore[arg-type]
    counted = await Cluster.connect(
        kubeconfig=None, context=None, url=instance.sim.url, timeout=PATIENCE, metrics=RequestMetrics(of_worker)
    )
    engine = Engine(instance.db, [counted], LocalSignals(instance.hub), LocalDoorbell(), QUICK, "worker", of_worker)
    running = asyncio.create_task(engine.run())
    good = await instance.save([conf("settings", a="1"), web("api")])
    assert (await instance.settled(await instance.exec(good))).status is TaskStatus.COMPLETED
    late = await instance.save([web("api", "api:never")], name="late")
    failed = await instance.settled(await instance.exec(late, ExecOptions(timeout_seconds=1)))
    assert (failed.status, failed.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
    task_id = await instance.exec(late)
    await until_true(lambda: len(list(instance.sim.registry.scan("deployments"))) == 2)
    await instance.service.cancel(late, task_id, "ada", "enough")
    assert (await instance.settled(task_id)).cleanup is Cleanup.DONE
    name = "kubemin_worker_cancel_duration_seconds_count"
    for seen in ("stopped", "cleaned"):
        await until_true(partial(of_worker.get_sample_value, name, {"until": seen}))
    await engine.stop()
    await running
    await instance.exec(late)  # waits, as no worker runs
    families = families_of(of_worker)
    scrape = (await text(registry, instance.db, {"1": families})).decode()
    samples: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(scrape):
        for sample in family.samples:
            samples.setdefault(sample.name, set()).update(sample.labels)
    for collector, names in registry._collector_to_names.items():  # no request was counted here
        for of in names:
            samples.setdefault(of, set(getattr(collector, "_labelnames", ())))
    yield samples
    await counted.aclose()


async def test_every_query_asks_for_what_is_exported(scraped: Mapping[str, set[str]]) -> None:
    asked = list(queries())
    assert len(asked) > 35
    for whose, query in asked:
        known = set(OF_PROMETHEUS)
        for name, labels in selectors(query):
            assert name in scraped, (whose, name)
            assert labels - OF_PROMETHEUS <= scraped[name], (whose, name, labels)
            known |= scraped[name]
        assert groupings(query) <= known, (whose, query)


def test_the_dashboard_is_one() -> None:
    """As Grafana imports it: its own id, a data source that is chosen, panels that do not overlap."""
    found = dashboard()
    assert (found["uid"], found["title"]) == ("kubemin", "KubeMin")
    assert found["schemaVersion"] >= 41
    assert "id" not in found  # Grafana's own: else an import would overwrite another one
    variables = {one["name"]: one["type"] for one in found["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query", "instance": "query"}
    panels = found["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert all(x < 24 for x, _ in cells)
        assert not cells & taken
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_every_rule_says_what_it_means() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)


def test_the_rules_fire_when_they_should() -> None:
    """`promtool` runs deploy/monitoring/rules.test.yaml; CI has it (KUBEMIN_TEST_REQUIRE_PROMTOOL)."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("KUBEMIN_TEST_REQUIRE_PROMTOOL"), "promtool is not installed"
        pytest.skip("promtool is not installed")
    for command in (["check", "rules", "rules.yaml"], ["test", "rules", "rules.test.yaml"]):
        done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
