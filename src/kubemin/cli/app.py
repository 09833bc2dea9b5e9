"""The commands and their options. What they do lies in the modules they import when they run."""

from pathlib import Path
from typing import Annotated

import typer

from kubemin.cli.options import (
    DEFAULT_SERVER,
    Address,
    Adopt,
    Asked,
    CancelCleanup,
    ConsoleDir,
    Context,
    DatabaseUrl,
    DeleteVolumes,
    DrainSeconds,
    File,
    Host,
    Json,
    Kubeconfig,
    MaxTasks,
    MetricsHost,
    MetricsPort,
    Port,
    Reason,
    RedisUrl,
    Server,
    ServerAlone,
    Simulate,
    TakeOver,
    TaskId,
    Token,
)
from kubemin.cli.parsing import addressed
from kubemin.spec.states import CleanupPolicy, OnActive, TaskStatus

app = typer.Typer(
    name="kubemin",
    help="Deploy applications to Kubernetes as tasks that can be stopped, and that put the cluster back as it was.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def dev(
    host: Host = None,
    port: Port = None,
    database: DatabaseUrl = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """API, worker and a simulated cluster in one process.

    With SQLite and in-process signals; --kubeconfig names a real cluster to use instead.
    """
    from kubemin.cli.settings import refuse_open_address, settings_of

    settings = settings_of(host=host, port=port, database_url=database, kubeconfig=kubeconfig, context=context)
    refuse_open_address(settings.host)

    from kubemin.cli.serve import run

    run(settings.model_copy(update={"redis_url": None, "simulate": settings.kubeconfig is None}), worker=True)


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    database: DatabaseUrl = None,
    redis: RedisUrl = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    simulate: Simulate = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Run tasks in this process too.")] = True,
    max_concurrent_tasks: MaxTasks = None,
    drain_seconds: DrainSeconds = None,
    console: ConsoleDir = None,
) -> None:
    """The API, and a worker unless --no-worker is given."""
    from kubemin.cli.settings import refuse_no_console, refuse_open_address, settings_of

    settings = settings_of(
        host=host, port=port, database_url=database, redis_url=redis, kubeconfig=kubeconfig, context=context,
        simulate=simulate, max_concurrent_tasks=max_concurrent_tasks, drain_seconds=drain_seconds,
        console_dir=console,
    )  # fmt: skip
    refuse_open_address(settings.host)
    refuse_no_console(settings.console_dir)

    from kubemin.cli.serve import run  # late: it takes most of a second to import

    run(settings, worker=worker)


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
        metrics_port=metrics_port, metrics_host=metrics_host,
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
    as_json: Json = False,
) -> None:
    """Delete the signal keys that ended tasks, or an older version, left in Redis."""
    from kubemin.cli.purge import run
    from kubemin.cli.settings import settings_of

    run(settings_of(database_url=database, redis_url=redis), unknown=unknown, as_json=as_json)


@app.command()
def apply(
    file: File,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the task until it has ended.")] = False,
    on_active: Annotated[
        OnActive, typer.Option("--on-active", help="What to do while a task of the application is active.")
    ] = OnActive.QUEUE,
    cleanup: Annotated[CleanupPolicy, typer.Option("--cleanup", help="What a rollback covers.")] = CleanupPolicy.TASK,
    restore: Annotated[
        bool, typer.Option("--restore/--no-restore", help="A rollback puts changed objects back.")
    ] = True,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.001, help="Seconds that the whole run may take; then it is undone."),
    ] = None,
    no_activity: Annotated[
        float | None,
        typer.Option("--no-activity", min=0.001, help="Seconds for which nothing may move; then it is undone."),
    ] = None,
    adopt: Adopt = None,
    take_over: TakeOver = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask the cluster about every object and write none.")
    ] = False,
    delete_volumes: DeleteVolumes = False,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Create or save the application in FILE and run it.

    With --wait exits 0 when it is completed, 1 failed, 3 timeout, 4 cancelled, 5 cleanup incomplete; Ctrl-C cancels.
    """
    from kubemin.cli.apply import apply as run

    options = {
        "onActive": on_active.value,
        "cleanup": cleanup.value,
        "restore": restore,
        "timeoutSeconds": timeout,
        "noActivitySeconds": no_activity,
        "adopt": adopt,
        "takeOver": take_over,
        "dryRun": dry_run,
        "deleteVolumes": delete_volumes,
    }
    raise typer.Exit(run(file, options, wait=wait, as_json=as_json, server=server, token=token))


@app.command("try")
def try_(file: File, as_json: Json = False) -> None:
    """Check the application in FILE, without a server.

    Exits 1 when something is wrong with it.
    """
    from kubemin.cli.offline import check

    raise typer.Exit(check(file, as_json=as_json))


@app.command(cls=ServerAlone)
def plan(
    file: File,
    ask: Asked = None,
    create_namespace: Annotated[
        bool, typer.Option("--create-namespace", help="With --server: as if a missing namespace were to be made.")
    ] = False,
    adopt: Adopt = None,
    delete_volumes: DeleteVolumes = False,
    take_over: TakeOver = False,
    as_json: Json = False,
    address: Address = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show the ordered stages of FILE, without a server.

    With --server also what each would create, change or leave as it is in the cluster, asked by dry runs:
    nothing is written or stored. Exits 1 when something of it would be refused.
    """
    if ask is not None:
        from kubemin.cli.preview import show

        asked = {
            "createNamespace": create_namespace,
            "adopt": adopt,
            "deleteVolumes": delete_volumes,
            "takeOver": take_over,
        }
        code = show(file, asked, as_json=as_json, server=ask or address, token=token)
        raise typer.Exit(code)
    from kubemin.cli.offline import show_plan

    raise typer.Exit(show_plan(file, as_json=as_json))


@app.command()
def delete(
    application: Annotated[str, typer.Argument(metavar="APP", help="Its name, namespace/name, or id.")],
    keep_resources: Annotated[
        bool, typer.Option("--keep-resources", help="Delete nothing in the cluster; its objects lose KubeMin's labels.")
    ] = False,
    delete_volumes: DeleteVolumes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would become of each object.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the task until it has ended.")] = False,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Delete an application, as far as its tasks made it.

    What they took over stays, and so do volume claims.

    At a terminal it shows what would become of each object, and asks. With --wait exits as apply --wait.
    """
    from kubemin.cli.delete import delete as run

    code = run(
        application,
        keep_resources=keep_resources,
        delete_volumes=delete_volumes,
        dry_run=dry_run,
        yes=yes,
        wait=wait,
        as_json=as_json,
        server=server,
        token=token,
    )
    raise typer.Exit(code)


@app.command()
def apps(
    search: Annotated[str | None, typer.Option("--search", help="Only those whose name holds this.")] = None,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List the applications."""
    from kubemin.cli.reports import apps as run

    run(search, as_json=as_json, server=server, token=token)


@app.command()
def status(
    task: TaskId,
    follow: Annotated[
        bool, typer.Option("--follow", help="Follow it until it has ended; exits as apply --wait.")
    ] = False,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show a task: its components, and how far its cleanup is."""
    from kubemin.cli.reports import status as run

    raise typer.Exit(run(task, follow=follow, as_json=as_json, server=server, token=token))


@app.command()
def tasks(
    app_id: Annotated[str | None, typer.Option("--app", metavar="APP", help="Only those of this application.")] = None,
    status: Annotated[TaskStatus | None, typer.Option("--status", help="Only those in this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most this many.")] = 50,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List tasks, newest first."""
    from kubemin.cli.reports import tasks as run

    app = None if app_id is None else addressed(app_id)
    if app is None and app_id is not None:
        raise typer.BadParameter(f"{app_id!r} names no application; `kubemin apps` lists them")
    run(app, status.value if status else None, limit, as_json=as_json, server=server, token=token)


@app.command()
def resources(task: TaskId, as_json: Json = False, server: Server = DEFAULT_SERVER, token: Token = None) -> None:
    """Show the cleanup journal of a task: each object it touched."""
    from kubemin.cli.reports import resources as run

    run(task, as_json=as_json, server=server, token=token)


@app.command()
def logs(task: TaskId, as_json: Json = False, server: Server = DEFAULT_SERVER, token: Token = None) -> None:
    """Show what the Pods of a failed task said.

    Their states, events and logs, as they were before its rollback.
    """
    from kubemin.cli.evidence import show

    show(task, as_json=as_json, server=server, token=token)


@app.command()
def cancel(
    task: TaskId,
    reason: Reason = None,
    cleanup: Annotated[
        CancelCleanup | None,
        typer.Option("--cleanup", help="task: undo what it did; none: leave it. By default as the run says."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --cleanup none: do not ask.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the rollback; exits 5 when it stays incomplete.")
    ] = False,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Cancel a task; what it did to the cluster is undone.

    With --cleanup none it stays, and is listed before.
    """
    from kubemin.cli.stopping import cancel as run

    policy = CleanupPolicy(cleanup) if cleanup else None
    raise typer.Exit(run(task, reason, policy, yes=yes, wait=wait, as_json=as_json, server=server, token=token))


@app.command()
def promote(task: TaskId, as_json: Json = False, server: Server = DEFAULT_SERVER, token: Token = None) -> None:
    """Let the pause that a task is in pass; the run goes on.

    Exits 1 when it is in none, or that is promoted already.
    """
    from kubemin.cli.stopping import promote as run

    run(task, as_json=as_json, server=server, token=token)


@app.command()
def cleanup(
    task: TaskId,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="End it as it is; what is left stays, and is listed before.")
    ] = False,
    reason: Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --abandon: do not ask.")] = False,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Try an incomplete cleanup again, or give it up."""
    from kubemin.cli import stopping

    if abandon:
        raise typer.Exit(stopping.abandon(task, reason, yes=yes, as_json=as_json, server=server, token=token))
    stopping.cleanup(task, reason, yes=yes, as_json=as_json, server=server, token=token)


@app.command()
def orphans(
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete them, once listed; at a terminal it asks before.")
    ] = False,
    volumes: DeleteVolumes = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --delete: do not ask.")] = False,
    as_json: Json = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List objects that no task accounts for.

    They carry a task's label, but the task is not known or does not have them in its journal. To a server with an empty
    or another database that is everything that was ever deployed, also what runs well: read the list before --delete.
    Exits 1 when one was not deleted.
    """
    from kubemin.cli.reports import orphans as run

    raise typer.Exit(run(delete=delete, volumes=volumes, yes=yes, as_json=as_json, server=server, token=token))


@app.command()
def version(as_json: Json = False) -> None:
    """Print the version."""
    from kubemin.cli.version import show

    show(as_json=as_json)
