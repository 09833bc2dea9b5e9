"""Options that several commands share, declared once."""

from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from kubemin.cli import completing
from kubemin.cli.addressed import addressed
from kubemin.cli.interrupts import OnSignal
from kubemin.cli.language import tr
from kubemin.cli.output import Form
from kubemin.spec.states import OnActive, Way

_ADDRESS = ("http://", "https://")


class ServerAlone(TyperCommand):
    """A command in which ``--server`` may come without an address, also before a file: its value is empty then."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        whole = list[str]()
        for argument, after in pairwise([*args, "-"]):
            whole += [argument, ""] if argument == "--server" and not after.startswith(_ADDRESS) else [argument]
        return super().parse_args(ctx, whole)


Server = Annotated[str, typer.Option("--server", envvar="KUBEMIN_SERVER", help="Address of the server.")]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="KUBEMIN_TOKEN", help="Bearer token.", show_envvar=True),
]
Formed = Annotated[
    Form | None,
    typer.Option("--output", "-o", help="For programs json, yaml, or name (names alone); wide: more columns."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result: no headings, no progress.")]
OnSignalOption = Annotated[
    OnSignal,
    typer.Option("--on-signal", help="What SIGTERM, SIGHUP and, without a terminal, Ctrl-C do while it waits."),
]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE|DIR|-]...",
        help="YAML or JSON, one document an application; a folder: its .yaml, .yml and .json files; -: stdin.",
        show_default=False,
    ),
]
MoreFiles = Annotated[
    list[str] | None,
    typer.Option("--filename", "-f", metavar="FILE|DIR|-", help="A file as kubectl takes it; may be repeated."),
]
PlainFiles = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE|DIR|-]...",
        help="Kubernetes objects in YAML or JSON; a folder: its .yaml, .yml and .json files; -: stdin.",
        show_default=False,
    ),
]
Out = Annotated[str | None, typer.Option("--out", metavar="FILE", help="Write this file, rather than to stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there.")]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="The namespace of applications whose file names none.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="NAME", help="The cluster of applications whose file names none.")
]
OfCluster = Annotated[str | None, typer.Option("--cluster", metavar="NAME", help="Only those in this cluster.")]
Named = Annotated[
    str | None,
    typer.Option("--name", help="The application that plain Kubernetes objects in the files become."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="COMPONENT.FIELD=VALUE",
        help="Another value in this run: COMPONENT.image=… or COMPONENT.env.KEY=…; may be repeated.",
        show_default=False,
    ),
]
Wait = Annotated[bool, typer.Option("--wait/--detach", help="Follow the task until it has ended, or return at once.")]
Note = Annotated[str | None, typer.Option("--note", help="Why, in one line; kept with the revision.")]
CreateNamespace = Annotated[
    bool, typer.Option("--create-namespace", help="Create namespaces that are missing; a rollback removes them.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Ask the cluster what it would do, and do and store nothing; exits 10 on changes."),
]
OnActiveTask = Annotated[
    OnActive, typer.Option("--on-active", help="What to do while a task of the application is active.")
]


class CancelCleanup(StrEnum):
    """What a cancel may ask of the cleanup."""

    TASK = "task"
    NONE = "none"


Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept with the task.")]


def _task_id(value: str) -> str:
    named = addressed(value)
    if named is None:
        raise typer.BadParameter(tr("{name} names no task; `kubemin tasks` lists them", name=repr(value)))
    return named


TaskId = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        help="Its id, or a beginning of it; or an application: its latest task.",
        callback=_task_id,
        autocompletion=completing.tasks,
    ),
]

LogsOf = Annotated[
    str,
    typer.Argument(
        metavar="APP|TASK",
        help="An application: [[cluster/]namespace/]name, or its id; or a task: its id, or a beginning of it.",
        callback=_task_id,
        autocompletion=completing.tasks,
    ),
]


def _app(value: str | None) -> str | None:
    named = None if value is None else addressed(value)
    if named is None and value is not None:
        raise typer.BadParameter(tr("{name} names no application; `kubemin apps` lists them", name=repr(value)))
    return named


AppName = Annotated[
    str,
    typer.Argument(
        metavar="APP",
        help="An application: [[cluster/]namespace/]name, or its id.",
        callback=_app,
        autocompletion=completing.applications,
    ),
]
OfApp = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="APP",
        help="Only those of this application.",
        callback=_app,
        autocompletion=completing.applications,
    ),
]

Adopt = Annotated[
    bool | None,
    typer.Option("--adopt/--no-adopt", help="Take over objects that are there and are not the application's."),
]
DeleteVolumes = Annotated[
    bool, typer.Option("--delete-volumes", help="Delete volume claims too, one by one: their data is lost.")
]

TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Remove from the application's objects what others have set in them.")
]
CommitOption = Annotated[
    str | None,
    typer.Option(
        "--commit",
        metavar="REPOSITORY@SHA",
        help="The commit that is deployed, such as octo/shop@0123…: it gets a status.",
    ),
]
StrategyName = Annotated[
    Way | None, typer.Option("--strategy", help="How Pods are replaced; default: as each component says.")
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on. [env: KUBEMIN_HOST]")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on. [env: KUBEMIN_PORT]")]
DatabaseUrl = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Database. [env: KUBEMIN_DATABASE_URL]")
]
RedisUrl = Annotated[str | None, typer.Option("--redis", metavar="URL", help="Redis. [env: KUBEMIN_REDIS_URL]")]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", metavar="FILE", help="Cluster to use. [env: KUBEMIN_KUBECONFIG]")
]
Context = Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig. [env: KUBEMIN_CONTEXT]")]
Simulate = Annotated[
    bool | None, typer.Option("--simulate", help="Use a simulated cluster. [env: KUBEMIN_SIMULATE]", show_default=False)
]
Serves = Annotated[
    list[str] | None,
    typer.Option(
        "--cluster",
        metavar="NAME",
        help="Run only the tasks of this cluster; may be repeated. [env: KUBEMIN_SERVES]",
        show_default=False,
    ),
]
MaxTasks = Annotated[
    int | None,
    typer.Option("--max-concurrent-tasks", min=1, help="Tasks to run at once. [env: KUBEMIN_MAX_CONCURRENT_TASKS]"),
]
WorkerCount = Annotated[
    int | None,
    typer.Option("--workers", min=0, help="Processes that run tasks, beside the API's. [env: KUBEMIN_WORKERS]"),
]
InProcess = Annotated[bool, typer.Option("--in-process", help="One worker in the API's process, and no other.")]
ConsoleDir = Annotated[
    Path | None,
    typer.Option("--console", metavar="DIR", help="Serve a web console's build at /. [env: KUBEMIN_CONSOLE_DIR]"),
]
DrainSeconds = Annotated[
    float | None,
    typer.Option(
        "--drain-seconds",
        min=0,
        help="How long tasks may go on after SIGTERM before they are handed over. [env: KUBEMIN_DRAIN_SECONDS]",
    ),
]

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        min=0,
        max=65535,
        help="Port for health and metrics; 0 is any free one, none by default. [env: KUBEMIN_METRICS_PORT]",
    ),
]
MetricsHost = Annotated[
    str | None, typer.Option("--metrics-host", help="Address for --metrics-port. [env: KUBEMIN_METRICS_HOST]")
]

Asked = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="[URL]",
        show_default=False,
        help="Ask the cluster, by way of this server; without an address: KUBEMIN_SERVER, or this machine.",
    ),
]
Address = Annotated[str, typer.Option("--address", hidden=True, envvar="KUBEMIN_SERVER")]
