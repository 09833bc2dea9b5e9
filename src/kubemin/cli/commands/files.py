"""Commands on the files of applications: write, check, plan and run them."""

from typing import Annotated

import typer

from kubemin.cli.connection import DEFAULT_SERVER
from kubemin.cli.interrupts import OnSignal
from kubemin.cli.options import (
    Address,
    Adopt,
    Asked,
    Cluster,
    CommitOption,
    CreateNamespace,
    DeleteVolumes,
    DryRun,
    Files,
    Force,
    Formed,
    MoreFiles,
    Named,
    Namespace,
    Note,
    OnActiveTask,
    OnSignalOption,
    Out,
    PlainFiles,
    Quiet,
    Server,
    ServerAlone,
    Sets,
    StrategyName,
    TakeOver,
    Token,
    Wait,
)
from kubemin.cli.output import Output
from kubemin.spec.states import CleanupPolicy, OnActive

app = typer.Typer()


def _all(files: list[str] | None, more: list[str] | None) -> list[str]:
    return [*(files or ()), *(more or ())]


@app.command()
def apply(
    files: Files = None,
    more: MoreFiles = None,
    wait: Wait = True,
    on_signal: OnSignalOption = OnSignal.CANCEL,
    namespace: Namespace = None,
    cluster: Cluster = None,
    name: Named = None,
    sets: Sets = None,
    create_namespace: CreateNamespace = False,
    note: Note = None,
    commit: CommitOption = None,
    on_active: OnActiveTask = OnActive.QUEUE,
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
    strategy: StrategyName = None,
    take_over: TakeOver = False,
    delete_volumes: DeleteVolumes = False,
    dry_run: DryRun = False,
    all_or_nothing: Annotated[
        bool,
        typer.Option(
            "--all-or-nothing", help="If one application does not complete, put those back that did, and stop the rest."
        ),
    ] = False,
    plan_file: Annotated[
        str | None,
        typer.Option("--plan", metavar="FILE", help="Run what plan --out wrote, just as it was read, or refuse."),
    ] = None,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Run the applications in these files, each as a task.

    Exits 0 when all are completed, 1 failed, 3 timeout, 4 cancelled, 5 cleanup incomplete, 6 no server. SIGTERM
    cancels, and Ctrl-C at a terminal asks. With --dry-run exits 10 when something would change. ${{ env.NAME }} and
    ${{ file.PATH }} are filled in here.
    """
    from kubemin.cli.apply import apply as run
    from kubemin.cli.apply_options import Wanted, commit_of
    from kubemin.cli.connection import Connection

    options = {
        "onActive": on_active.value,
        "cleanup": cleanup.value,
        "restore": restore,
        "timeoutSeconds": timeout,
        "noActivitySeconds": no_activity,
        "adopt": adopt,
        "strategy": strategy and strategy.value,
        "takeOver": take_over,
        "deleteVolumes": delete_volumes,
        "createNamespace": create_namespace,
        "note": note,
        "commit": None if commit is None else commit_of(commit),
    }
    wanted = Wanted(_all(files, more), namespace, sets or [], name, cluster, options)
    to = Connection(server, token, Output(form, quiet))
    code = run(
        wanted,
        to,
        wait=on_signal if wait else None,
        dry_run=dry_run,
        all_or_nothing=all_or_nothing,
        plan_file=plan_file,
    )
    raise typer.Exit(code)


@app.command()
def init(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Of the application; default: the folder's.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Where it is written; default: NAME.yaml.")
    ] = None,
    form: Formed = None,
    quiet: Quiet = False,
    server: Annotated[
        str | None,
        typer.Option("--server", envvar="KUBEMIN_SERVER", help="Editors have the schema from it; else from a file."),
    ] = None,
) -> None:
    """Write a first application, with comments.

    Editors complete and check it, by its schema in the folder .kubemin. A file that is there is never written over.
    """
    from kubemin.cli.starting import init as run

    run(name, out, server, Output(form, quiet))


@app.command()
def schema(form: Formed = None, quiet: Quiet = False) -> None:
    """Print the JSON Schema of an application."""
    from kubemin.cli.starting import schema as run

    run(Output(form, quiet))


@app.command("try")
def try_(
    files: Files = None,
    more: MoreFiles = None,
    namespace: Namespace = None,
    cluster: Cluster = None,
    name: Named = None,
    sets: Sets = None,
    form: Formed = None,
    quiet: Quiet = False,
) -> None:
    """Check the applications in these files, without a server.

    Exits 1 when something is wrong with one.
    """
    from kubemin.cli.apply_options import Wanted
    from kubemin.cli.offline import check

    raise typer.Exit(check(Wanted(_all(files, more), namespace, sets or [], name, cluster), Output(form, quiet)))


@app.command("import")
def import_(
    name: Annotated[str, typer.Option("--name", help="What the application is called.")],
    files: PlainFiles = None,
    more: MoreFiles = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="The application's; default: the one that the objects name, if one."),
    ] = None,
    adoptable: Annotated[
        bool,
        typer.Option(
            "--adoptable", help="Leave Deployments, StatefulSets and DaemonSets as they are, to be taken over in place."
        ),
    ] = False,
    out: Out = None,
    force: Force = False,
    form: Formed = None,
    quiet: Quiet = False,
) -> None:
    """Turn Kubernetes YAML into an application.

    No server is asked. What the own format cannot say exactly stays in components of the type manifests; each such
    object is named on stderr, with the reason.
    """
    from kubemin.cli.importing import import_ as run

    run(
        _all(files, more),
        name,
        Output(form, quiet),
        namespace=namespace,
        adoptable=adoptable,
        out=out,
        force=force,
    )


@app.command(cls=ServerAlone)
def plan(
    files: Files = None,
    more: MoreFiles = None,
    ask: Asked = None,
    namespace: Namespace = None,
    cluster: Cluster = None,
    name: Named = None,
    sets: Sets = None,
    create_namespace: CreateNamespace = False,
    adopt: Adopt = None,
    delete_volumes: DeleteVolumes = False,
    strategy: StrategyName = None,
    take_over: TakeOver = False,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="FILE", help="Write the plan, for apply --plan, also over an older plan; with a server."
        ),
    ] = None,
    form: Formed = None,
    quiet: Quiet = False,
    address: Address = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show the ordered stages of applications, without a server.

    With --server also what each would create, change or leave as it is in the cluster, asked by dry runs:
    nothing is written or stored. Exits 1 when something of it would be refused.
    """
    from kubemin.cli.apply_options import Wanted

    if ask is None and out is None:
        from kubemin.cli.offline import show_plan

        raise typer.Exit(
            show_plan(Wanted(_all(files, more), namespace, sets or [], name, cluster), Output(form, quiet), strategy)
        )
    from kubemin.cli.apply import plan as run
    from kubemin.cli.connection import Connection

    options = {
        "createNamespace": create_namespace,
        "adopt": adopt,
        "deleteVolumes": delete_volumes,
        "strategy": strategy and strategy.value,
        "takeOver": take_over,
    }
    wanted = Wanted(_all(files, more), namespace, sets or [], name, cluster, options)
    raise typer.Exit(run(wanted, Connection(ask or address, token, Output(form, quiet)), out))
