"""Each page of the reference, by its name."""

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from prometheus_client import CollectorRegistry, Metric

from kubemin.api import codes, metrics
from kubemin.api.codes import ApiCode
from kubemin.cli import exits
from kubemin.cli.exits import Exit
from kubemin.cluster.request_metrics import RequestMetrics
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, EngineSettings
from kubemin.notifications.deliverer import Deliverer
from kubemin.notifications.drift import Drift, DriftSettings
from kubemin.settings import Settings
from kubemin.signals import LocalSignals
from kubemin.spec import reason_codes
from kubemin.spec.reason_codes import ReasonCode
from kubemin.store.tasks import TaskCounts
from tests.docs.reference import application, commands, routes
from tests.docs.reference.markdown import code, members, page, prose, table
from tests.docs.reference.schema import default, kind


def pages() -> dict[str, str]:
    """All pages, by their file names."""
    return {
        "api.md": routes.api(),
        "application.md": application.of_applications(),
        "cli.md": commands.cli(),
        "codes.md": of_codes(),
        "metrics.md": of_metrics(),
        "settings.md": of_settings(),
    }


def of_settings() -> str:
    """Each setting."""
    schema = Settings.model_json_schema()["properties"]
    told: dict[str, str] = {}
    for model in Settings.__mro__:
        if model.__module__.startswith("kubemin."):
            told = {**members(_module(model), model.__name__), **told}
    rows = [
        (code(f"KUBEMIN_{name.upper()}"), kind(schema[name]), default(schema[name], needed=False), told[name])
        for name in Settings.model_fields
    ]
    return page(
        "Settings",
        "Environment variables of `kubemin serve`, `worker`, `dev` and `migrate`; these commands have options for some"
        " of them. Times are seconds. What belongs together is in [Running KubeMin](../operations.md#settings).",
        table(("variable", "type", "default", ""), rows),
        "Of the command line: `KUBEMIN_SERVER` is the address of the server, `KUBEMIN_TOKEN` what it sends as bearer"
        " token.",
    )


def of_metrics() -> str:
    """Each metric: of a worker, and of a server."""
    nothing = cast(Any, None)
    of_worker, of_server, of_both = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    RequestMetrics(of_both)
    Engine(nothing, [], LocalSignals(), LocalDoorbell(), EngineSettings(), "worker", of_worker)
    metrics.Measured(nothing, registry=of_server)
    Deliverer(nothing, [], nothing, of_server)
    Drift(nothing, {}, DriftSettings(1), of_server)
    measured = [*of_server.collect(), *metrics._gauges(TaskCounts({}, {}, 0, {}, {}, 0, 0))]
    return page(
        "Metrics",
        "What `/metrics` says, in the text format of Prometheus. How to read it, and what to alert on:"
        " [Health and metrics](../operations.md#health-and-metrics).",
        "## Of a server",
        _metrics(measured, of_server),
        "`kubemin_worker_up` (gauge, label `worker`) is 0 if a worker that this server has started did not answer this"
        " scrape; its other metrics are left out then.",
        "## Of a worker",
        "On the worker's own port. The `/metrics` of a server has those of its own workers too, with the label"
        " `worker`.",
        _metrics(of_worker.collect(), of_worker),
        "## Of both",
        _metrics(of_both.collect(), of_both),
        "Both have `process_*`: memory, CPU seconds, open files and start of the process (Linux).",
    )


def _metrics(found: Iterable[Metric], registry: CollectorRegistry) -> str:
    collectors: list[Any] = list(registry._collector_to_names)
    labels = {one._name: one._labelnames for one in collectors if hasattr(one, "_labelnames")}
    rows = []
    for one in found:
        name = f"{one.name}_total" if one.type == "counter" else one.name
        given = labels.get(one.name) or getattr(one, "_labelnames", None) or ()
        rows.append((code(name), one.type, ", ".join(map(code, given)), prose(one.documentation)))
    return table(("metric", "type", "labels", ""), rows)


def of_codes() -> str:
    """Codes of failures, of errors, and of exits."""
    causes = members(reason_codes, "ReasonCode")
    exit_codes, api_codes = members(exits, "Exit"), members(codes, "ApiCode")
    own = [one for one in ApiCode if one >= _FIRST_OF_OURS]
    of_http = [str(int(one)) for one in ApiCode if 0 < one < _FIRST_OF_OURS]
    return page(
        "Codes",
        "## Why a task failed",
        "`reasonCode` of a task, a component or a job that is `failed` or `timeout`, with `advice` for whoever has to"
        " act. A later version may know more codes.",
        table(
            ("code", "what was in the way", "advice"), [(code(one), causes[one.name], one.advice) for one in ReasonCode]
        ),
        "## Errors of the API",
        f"`code` of the envelope; 0 is success. As HTTP means them: {', '.join(of_http)}. Of KubeMin:",
        table(("code", ""), [(str(int(one)), api_codes[one.name]) for one in own]),
        "## Mistakes in an application",
        "`code` of each entry of `errors`, with its place and a sentence; see"
        " [What can be wrong](../format.md#what-can-be-wrong).",
        "## Exit codes",
        table(("exit code", ""), [(str(int(one)), exit_codes[one.name]) for one in Exit]),
        "Of several applications, the first of 5, 1, 3, 4 that one of them has.",
    )


_FIRST_OF_OURS = 1000


def _module(model: type) -> ModuleType:
    return import_module(model.__module__)
