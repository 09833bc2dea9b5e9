"""Commands that serve, and those that look after what servers share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.cli.options import (
    ConsoleDir,
    Context,
    DatabaseUrl,
    DrainSeconds,
    Formed,
    Host,
    InProcess,
    Kubeconfig,
    MaxTasks,
    MetricsHost,
    MetricsPort,
    Port,
    Quiet,
    RedisUrl,
    Serves,
    Simulate,
    WorkerCount,
)
from kubemin.cli.output import Output
from kubemin.spec.names import DEFAULT_CLUSTER

if TYPE_CHECKING:
    from kubemin.settings import Settings

app = typer.Typer()


@app.command()
def dev(
    host: Host = None,
    port: Port = None,
    database: DatabaseUrl = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    workers: WorkerCount = None,
    in_process: InProcess = False,
) -> None:
    """API, worker and a simulated cluster, to try it out.

    With an SQLite file and without Redis; --kubeconfig names a real cluster to use instead.
    """
    from kubemin.cli.settings import refuse_open_address, settings_of

    settings = settings_of(
        host=host, port=port, database_url=database, kubeconfig=kubeconfig, context=context, workers=workers
    )
    refuse_open_address(settings)
    named = settings.kubeconfig is not None or (settings.clusters and DEFAULT_CLUSTER in settings.known_clusters)
    alone = {"redis_url": None, "simulate": not named}
    _serve(settings.model_copy(update=alone), workers, in_process=in_process, trial=True)


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    database: DatabaseUrl = None,
    redis: RedisUrl = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    simulate: Simulate = None,
    workers: WorkerCount = None,
    in_process: InProcess = False,
    max_concurrent_tasks: MaxTasks = None,
    drain_seconds: DrainSeconds = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = None,
    console: ConsoleDir = None,
) -> None:
    """The API, and its workers in processes of their own.

    It starts them again when they die, and ends them when it ends. With --workers 0 the API alone.
    """
    from kubemin.cli.settings import refuse_no_console, refuse_open_address, settings_of

    settings = settings_of(
        host=host, port=port, database_url=database, redis_url=redis, kubeconfig=kubeconfig, context=context,
        simulate=simulate, max_concurrent_tasks=max_concurrent_tasks, drain_seconds=drain_seconds,
        metrics_port=metrics_port, metrics_host=metrics_host, console_dir=console, workers=workers,
    )  # fmt: skip
    refuse_open_address(settings)
    refuse_no_console(settings.console_dir)
    _serve(settings, workers, in_process=in_process, trial=False)


def _serve(settings: "Settings", asked: int | None, *, in_process: bool, trial: bool) -> None:
    if in_process and asked is not None:
        raise CliError(tr("--workers and --in-process exclude each other"), Exit.USAGE)
    from kubemin.cli.workers import Workers

    with Workers(0 if in_process else settings.workers) as workers:
        from kubemin.cli.serve import run  # it takes most of a second to import, and the workers do so meanwhile

        run(settings, workers, in_process=in_process, trial=trial)


@app.command()
def worker(
    database: DatabaseUrl = None,
    redis: RedisUrl = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    simulate: Simulate = None,
    max_concurrent_tasks: MaxTasks = None,
    drain_seconds: DrainSeconds = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = None,
    cluster: Serves = None,
) -> None:
    """A worker without an API, on a shared database.

    At SIGTERM it claims no more, lets its tasks go on for --drain-seconds, hands them over and exits 0; at a second
    SIGTERM it is gone at once, and its tasks are taken over when their leases run out.
    """
    from kubemin.cli.settings import settings_of
    from kubemin.cli.work import run_worker

    settings = settings_of(
        database_url=database, redis_url=redis, kubeconfig=kubeconfig, context=context, simulate=simulate,
        max_concurrent_tasks=max_concurrent_tasks, drain_seconds=drain_seconds,
        metrics_port=metrics_port, metrics_host=metrics_host, serves=",".join(cluster) if cluster else None,
    )  # fmt: skip
    run_worker(settings)


@app.command()
def sim(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 is any free one.")] = 0,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    kubeconfig_out: Annotated[
        Path | None, typer.Option("--kubeconfig-out", metavar="FILE", help="Write the kubeconfig here, not to stdout.")
    ] = None,
) -> None:
    """A simulated cluster that kubectl can talk to."""
    from kubemin.cli.simulate import run

    run(host, port, kubeconfig_out)


@app.command()
def demo() -> None:
    """Show the promise: deploy, cancel, compare, deploy again."""
    from kubemin.cli.demo import run

    run()


@app.command()
def migrate(database: DatabaseUrl = None) -> None:
    """Bring the database's tables to this version."""
    from kubemin.cli.serve import migrate_database
    from kubemin.cli.settings import settings_of

    migrate_database(settings_of(database_url=database))


signals = typer.Typer(help="Cancel signals in Redis.", no_args_is_help=True)
app.add_typer(signals, name="signals")


@signals.command()
def purge(
    database: DatabaseUrl = None,
    redis: RedisUrl = None,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Also those of tasks that this database does not know.")
    ] = False,
    form: Formed = None,
    quiet: Quiet = False,
) -> None:
    """Delete the signal keys that ended tasks, or an older version, left in Redis."""
    from kubemin.cli.purge import run
    from kubemin.cli.settings import settings_of

    run(settings_of(database_url=database, redis_url=redis), Output(form, quiet), unknown=unknown)
