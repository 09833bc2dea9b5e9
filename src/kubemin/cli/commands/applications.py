"""Commands about applications that a server has: what runs, and what ran before."""

from typing import Annotated

import typer

from kubemin.cli.connection import DEFAULT_SERVER
from kubemin.cli.interrupts import OnSignal
from kubemin.cli.options import (
    Adopt,
    AppName,
    DeleteVolumes,
    DryRun,
    Force,
    Formed,
    Note,
    OfCluster,
    OnActiveTask,
    OnSignalOption,
    Out,
    Quiet,
    Server,
    StrategyName,
    TakeOver,
    Token,
    Wait,
)
from kubemin.cli.output import Output
from kubemin.spec.states import OnActive

app = typer.Typer()


@app.command()
def apps(
    search: Annotated[str | None, typer.Option("--search", help="Only those whose name holds this.")] = None,
    cluster: OfCluster = None,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List the applications."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.reports import apps as run

    run(Connection(server, token, Output(form, quiet)), search=search, cluster=cluster)


Revision = Annotated[
    str | None, typer.Option("--revision", metavar="N", help="A number, current or draft; default: current.")
]


@app.command()
def get(
    application: AppName,
    revision: Revision = None,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show what is deployed, or an older revision.

    As YAML it is the application, as it can be applied again; values of secrets are masked.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.history import get as run

    run(application, revision, Connection(server, token, Output(form, quiet)))


@app.command()
def export(
    application: AppName,
    revision: Revision = None,
    manifests: Annotated[
        bool, typer.Option("--manifests", help="The Kubernetes objects that it renders to, as documents.")
    ] = False,
    kustomize: Annotated[
        str | None,
        typer.Option("--kustomize", metavar="DIR", help="Write these, a file each, and a kustomization.yaml."),
    ] = None,
    out: Out = None,
    force: Force = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Write an application, or its objects, as files.

    Without --manifests or --kustomize it is the application in the own format. Values of secrets are masked. Objects
    lack the labels by which KubeMin finds them, but for those that a selector needs.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.exporting import Target
    from kubemin.cli.exporting import export as run

    target = Target(out, kustomize, force)
    run(application, revision, target, Connection(server, token, Output(form, quiet)), manifests=manifests)


@app.command()
def history(
    application: AppName,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List the revisions of an application."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.history import history as run

    run(application, Connection(server, token, Output(form, quiet)))


@app.command()
def diff(
    application: AppName,
    begin: Annotated[str | None, typer.Argument(metavar="[N]", help="A number, current, draft or live.")] = None,
    end: Annotated[str | None, typer.Argument(metavar="[M]", help="The same.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Compare with what the cluster has in fact.")] = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Show how two revisions differ, object by object.

    With one, from it to what is deployed, or with --live to the cluster; with none, from what is deployed to the
    cluster: what was changed by hand. Exits 0 without a difference, 10 with one, 1 when it cannot be told.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.history import diff as run

    raise typer.Exit(run(application, begin, end, Connection(server, token, Output(form, quiet)), live=live))


@app.command()
def rollback(
    application: AppName,
    revision: Annotated[
        int | None, typer.Argument(metavar="[N]", min=1, help="Its number; default: the one before the current one.")
    ] = None,
    wait: Wait = True,
    on_signal: OnSignalOption = OnSignal.CANCEL,
    note: Note = None,
    on_active: OnActiveTask = OnActive.QUEUE,
    adopt: Adopt = None,
    strategy: StrategyName = None,
    take_over: TakeOver = False,
    delete_volumes: DeleteVolumes = False,
    dry_run: DryRun = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Go back to an older revision.

    Makes a new one with its spec, secrets included. Exits as apply.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.history import rollback as run

    options = {
        "note": note,
        "onActive": on_active.value,
        "adopt": adopt,
        "strategy": strategy and strategy.value,
        "takeOver": take_over,
        "deleteVolumes": delete_volumes,
        "dryRun": dry_run,
    }
    raise typer.Exit(
        run(
            application,
            revision,
            options,
            Connection(server, token, Output(form, quiet)),
            wait=on_signal if wait else None,
        )
    )


@app.command()
def restart(
    application: AppName,
    components: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPONENT]...", help="Default: all that have Pods.")
    ] = None,
    wait: Wait = True,
    on_signal: OnSignalOption = OnSignal.CANCEL,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Replace the Pods of what is deployed.

    Exits as apply.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.history import restart as run

    raise typer.Exit(
        run(
            application,
            components or [],
            Connection(server, token, Output(form, quiet)),
            wait=on_signal if wait else None,
        )
    )


@app.command()
def delete(
    application: AppName,
    keep_resources: Annotated[
        bool, typer.Option("--keep-resources", help="Delete nothing in the cluster; its objects lose KubeMin's labels.")
    ] = False,
    delete_volumes: DeleteVolumes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would become of each object.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = True,
    on_signal: OnSignalOption = OnSignal.CANCEL,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Delete an application, as far as its tasks made it.

    What they took over stays, and so do volume claims.

    At a terminal it shows what would become of each object, and asks. Exits as apply.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.delete import delete as run

    code = run(
        application,
        Connection(server, token, Output(form, quiet)),
        keep_resources=keep_resources,
        delete_volumes=delete_volumes,
        dry_run=dry_run,
        yes=yes,
        wait=on_signal if wait else None,
    )
    raise typer.Exit(code)
