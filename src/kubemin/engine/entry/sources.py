"""What a run is of: the draft, a file, a former revision, or what the cluster has, whose Pods are to start again."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from kubemin.engine.entry.loading import Stored, stored
from kubemin.engine.errors import AppNotFound, NeverDeployed, RevisionNotFound
from kubemin.spec.application import Application, parse_application
from kubemin.spec.component_types import SERVING
from kubemin.spec.deployed import covering
from kubemin.spec.ids import new_id
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.limits import Limits
from kubemin.spec.workflow import Mode, Step
from kubemin.store import Tx, applications, revisions
from kubemin.store.revisions import RevisionRow

_RESTART = "restart"


@dataclass(frozen=True)
class Basis:
    """What the database has that a run builds upon; ``stored`` is None where the application is not there yet."""

    stored: Stored | None
    current: RevisionRow | None
    former: RevisionRow | None = None
    """The one to go back to."""


@dataclass(frozen=True)
class Wanted:
    """What is to run. Components that no step names stay as they are.

    ``restarts``: component → when its Pods were to start again. ``replaces_draft``: once it completed, it is the draft.
    ``plain``: no new version comes beside the old one, unless the run's own strategy says so.
    """

    application: Application
    steps: list[Step]
    config_key: str
    workflow_id: str
    workflow_name: str
    restarts: Mapping[str, str] = field(default_factory=dict)
    replaces_draft: bool = False
    plain: bool = False
    hooks: bool = True
    """Whether hooks of charts are run."""


class Source(Protocol):
    """Where a run comes from."""

    @property
    def app_id(self) -> str:
        """The application's."""

    @property
    def sent(self) -> Any:
        """The application as JSON, where the database does not have it; by its size is told what takes long."""

    async def look(self, tx: Tx) -> Basis:
        """Read what it builds upon; the same again while nobody changed it. Raises `NotFoundError`."""

    def read(self, basis: Basis, limits: Limits) -> Wanted:
        """What is to run; takes long where it is large. Raises `SpecError` where it no longer is allowed."""


@dataclass(frozen=True)
class Draft:
    """What was saved last, by one of its workflows; without an id by the one that came with it.

    ``also``: components that are deployed even where no step names them.
    """

    app_id: str
    workflow_id: str | None = None
    also: Collection[str] = ()

    @property
    def sent(self) -> None:
        """See `Source`."""

    async def look(self, tx: Tx) -> Basis:
        """See `Source`."""
        return Basis(await stored(tx, self.app_id, self.workflow_id), await revisions.current(tx, self.app_id))

    def read(self, basis: Basis, limits: Limits) -> Wanted:
        """See `Source`."""
        assert basis.stored is not None
        loaded = basis.stored.read(limits)
        steps = loaded.steps if basis.stored.flow.steps else None
        application = loaded.application.model_copy(update={"workflow": steps})
        also = [part for part in application.component if part.name in self.also]
        return _wanted(basis, application, covering(loaded.steps, also))


@dataclass(frozen=True)
class Posted:
    """An application as it was sent, checked. It need not be there yet."""

    application: Application
    config_key: str = field(default_factory=lambda: secrets.token_hex(16))
    workflow_id: str = field(default_factory=new_id)

    @property
    def app_id(self) -> str:
        """It follows from the name."""
        return self.application.app_id

    @property
    def sent(self) -> Any:
        """See `Source`. To make it what was sent would take long itself."""
        return [[vars(part), vars(part.properties), vars(part.traits)] for part in self.application.component]

    async def look(self, tx: Tx) -> Basis:
        """See `Source`."""
        there = await applications.exists(tx, self.app_id)
        return Basis(await stored(tx, self.app_id, None) if there else None, await revisions.current(tx, self.app_id))

    def read(self, basis: Basis, limits: Limits) -> Wanted:
        """See `Source`."""
        application = self.application.model_copy(update={"id": None})
        if basis.stored is not None:
            return replace(_wanted(basis, application, application.steps()), replaces_draft=True)
        return Wanted(
            application,
            application.steps(),
            self.config_key,
            self.workflow_id,
            f"{application.name}-workflow",
            replaces_draft=True,
        )


@dataclass(frozen=True)
class Former:
    """An older revision; without a number the one that the cluster had before the current one."""

    app_id: str
    number: int | None = None

    @property
    def sent(self) -> None:
        """See `Source`."""

    async def look(self, tx: Tx) -> Basis:
        """See `Source`."""
        found = await stored(tx, self.app_id, None)
        if self.number is None:
            former = await revisions.before_current(tx, self.app_id)
        else:
            former = await revisions.get(tx, self.app_id, self.number)
        if former is None:
            raise RevisionNotFound("before" if self.number is None else str(self.number))
        return Basis(found, await revisions.current(tx, self.app_id), former)

    def read(self, basis: Basis, limits: Limits) -> Wanted:
        """See `Source`. All of its components are deployed: also those that its own run took as they were."""
        assert basis.former is not None
        application = parse_application(basis.former.spec, limits)
        steps = covering(application.steps(), application.component)
        return replace(_wanted(basis, application, steps), replaces_draft=True, plain=True, hooks=False)


@dataclass(frozen=True)
class Restart:
    """What the cluster has; the Pods of these components, or of all that have some, are replaced."""

    app_id: str
    components: Collection[str] = ()
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    @property
    def sent(self) -> None:
        """See `Source`."""

    async def look(self, tx: Tx) -> Basis:
        """See `Source`."""
        found = await stored(tx, self.app_id, None)
        current = await revisions.current(tx, self.app_id)
        if current is None:
            raise NeverDeployed(found.row.name)
        return Basis(found, current)

    def read(self, basis: Basis, limits: Limits) -> Wanted:
        """See `Source`."""
        assert basis.current is not None
        application = parse_application(basis.current.spec, limits)
        able = [part.name for part in application.component if part.type in SERVING]
        wrong = [name for name in self.components if name not in able]
        if wrong or not able:
            message = f"Not deployed, or without Pods to start again: {', '.join(wrong) or 'everything'}; there are: "
            raise SpecError(
                [Issue("components", IssueCode.INVALID_FIELD_VALUE, f"{message}{', '.join(able) or 'none'}.")]
            )
        names = [name for name in able if name in self.components or not self.components]
        steps = [Step(name=_RESTART, mode=Mode.DAG, components=names)]
        wanted = _wanted(basis, application, steps)
        return replace(wanted, restarts={**wanted.restarts, **dict.fromkeys(names, self.at)}, plain=True)


async def cluster_of(tx: Tx, source: Source) -> str:
    """The cluster in which it runs. Raises `AppNotFound`."""
    if isinstance(source, Posted):
        return source.application.cluster
    row = await applications.get(tx, source.app_id)
    if row is None:
        raise AppNotFound(source.app_id)
    return row.cluster


def _wanted(basis: Basis, application: Application, steps: list[Step]) -> Wanted:
    assert basis.stored is not None
    names = {component.name for component in application.component}
    restarts = basis.current.restarts if basis.current else {}
    return Wanted(
        application,
        steps,
        basis.stored.row.config_key or "",
        basis.stored.flow.id,
        basis.stored.flow.name,
        {name: at for name, at in restarts.items() if name in names},
    )
