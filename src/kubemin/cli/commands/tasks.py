"""Commands about tasks: how they come on, and how to stop them."""

from typing import Annotated

import typer

from kubemin.cli.connection import DEFAULT_SERVER
from kubemin.cli.options import (
    CancelCleanup,
    DeleteVolumes,
    Formed,
    LogsOf,
    OfApp,
    OfCluster,
    Quiet,
    Reason,
    Server,
    TaskId,
    Token,
)
from kubemin.cli.output import Output
from kubemin.spec.states import CleanupPolicy, TaskStatus

app = typer.Typer()


@app.command()
def status(
    task: TaskId,
    follow: Annotated[bool, typer.Option("--follow", help="Follow it until it has ended; exits as apply.")] = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show a task: its components, and how far its cleanup is."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.reports import status as run

    raise typer.Exit(run(task, Connection(server, token, Output(form, quiet)), follow=follow))


@app.command()
def tasks(
    app_id: OfApp = None,
    cluster: OfCluster = None,
    status: Annotated[TaskStatus | None, typer.Option("--status", help="Only those in this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List tasks, newest first."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.reports import tasks as run

    to = Connection(server, token, Output(form, quiet))
    run(to, limit, app=app_id, cluster=cluster, status=status.value if status else None)


@app.command()
def resources(
    task: TaskId, form: Formed = None, quiet: Quiet = False, server: Server = DEFAULT_SERVER, token: Token = None
) -> None:
    """Show the cleanup journal of a task: each object it touched."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.reports import resources as run

    run(task, Connection(server, token, Output(form, quiet)))


@app.command()
def logs(
    named: LogsOf,
    component: Annotated[str | None, typer.Option("--component", help="Only of this component.")] = None,
    container: Annotated[str | None, typer.Option("--container", help="Only of containers of this name.")] = None,
    previous: Annotated[bool, typer.Option("--previous", help="Of the run before, where one began again.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, max=5000, help="Lines of each container; default: 100.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show what the containers of an application write.

    Of a task that has failed: what its Pods said, their states, events and logs, before its rollback. Values of the
    application's Secrets are masked.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.pod_logs import Asked
    from kubemin.cli.pod_logs import logs as run

    run(named, Asked(component, container, previous, tail, follow), Connection(server, token, Output(form, quiet)))


@app.command()
def events(
    task: TaskId, form: Formed = None, quiet: Quiet = False, server: Server = DEFAULT_SERVER, token: Token = None
) -> None:
    """Show what happens in a task, from its begin to its end.

    Ctrl-C ends the command, and never the task. As JSON it is an object a line.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.task_events import events as run

    run(task, Connection(server, token, Output(form, quiet)))


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
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Cancel a task; what it did to the cluster is undone.

    With --cleanup none it stays, and is listed before.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.stopping import cancel as run

    policy = CleanupPolicy(cleanup) if cleanup else None
    raise typer.Exit(run(task, reason, policy, Connection(server, token, Output(form, quiet)), yes=yes, wait=wait))


@app.command()
def promote(
    task: TaskId, form: Formed = None, quiet: Quiet = False, server: Server = DEFAULT_SERVER, token: Token = None
) -> None:
    """Let the pause that a task is in pass; the run goes on.

    Exits 1 when it is in none, or that is promoted already.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.stopping import promote as run

    run(task, Connection(server, token, Output(form, quiet)))


@app.command()
def cleanup(
    task: TaskId,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="End it as it is; what is left stays, and is listed before.")
    ] = False,
    reason: Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --abandon: do not ask.")] = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Try an incomplete cleanup again, or give it up."""
    from kubemin.cli import stopping
    from kubemin.cli.connection import Connection

    if abandon:
        raise typer.Exit(stopping.abandon(task, reason, Connection(server, token, Output(form, quiet)), yes=yes))
    stopping.cleanup(task, reason, Connection(server, token, Output(form, quiet)), yes=yes)


@app.command()
def orphans(
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete them, once listed; at a terminal it asks before.")
    ] = False,
    volumes: DeleteVolumes = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --delete: do not ask.")] = False,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="NAME", help="Of this cluster; default: default.")
    ] = None,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List objects that no task accounts for.

    They carry a task's label, but the task is not known or does not have them in its journal. To a server with an empty
    or another database that is everything that was ever deployed, also what runs well: read the list before --delete.
    Exits 1 when one was not deleted.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.reports import orphans as run

    to = Connection(server, token, Output(form, quiet))
    raise typer.Exit(run(to, delete=delete, volumes=volumes, yes=yes, cluster=cluster))


@app.command()
def clusters(form: Formed = None, quiet: Quiet = False, server: Server = DEFAULT_SERVER, token: Token = None) -> None:
    """List the clusters that the server knows.

    Exits 1 when one does not answer.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.reports import clusters as run

    raise typer.Exit(run(Connection(server, token, Output(form, quiet))))
