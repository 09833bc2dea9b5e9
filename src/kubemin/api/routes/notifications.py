"""Who was told what, once more, and a test."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from kubemin.api import paging
from kubemin.api.access import About, needs
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Given
from kubemin.api.envelope import ApiError, Envelope
from kubemin.api.models.notifications import DeliveryReply, NotificationList, State, TargetReply, TestReply
from kubemin.api.openapi import errors
from kubemin.api.parameters import DEFAULT_PAGE_SIZE, After, PageSize
from kubemin.identity.grants import Role
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.store import deliveries, outbox
from kubemin.store.deliveries import Backlog, Delivery, DeliveryState

router = APIRouter(tags=["Notifications"])

TargetName = Annotated[str, Path(max_length=63, pattern="^[-a-z0-9]+$", description="Name of the target.")]
DeliveryId = Annotated[int, Path(ge=1, lt=2**63, description="Of a delivery in the list.")]


@router.get("/notifications", summary="List notifications")
@needs(About.EVERYTHING, Role.VIEWER)
async def list_notifications(
    deps: Given,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    target: Annotated[
        str | None, Query(max_length=63, pattern="^[-a-z0-9]*$", description="Only those to this target.")
    ] = None,
    page_size: PageSize = None,
    after: After = None,
) -> Envelope[NotificationList]:
    """Who is told what happens, and what was sent, newest first; the next page `after` the `nextCursor`.

    What was sent is forgotten after a week.
    """
    size = page_size or DEFAULT_PAGE_SIZE
    before = paging.number_after(after)
    async with deps.db.read() as tx:
        backlogs, announced = await deliveries.backlogs(tx), await outbox.announced(tx)
        only = None if state is None else DeliveryState(state)
        found = await deliveries.page(tx, state=only, target=target, before=before, limit=size + 1)
    targets = [
        _target(one.name, one.template, [] if one.is_status else list(one.on), backlogs.get(one.name, Backlog()))
        for one in (deps.notifications.targets if deps.notifications else ())
    ]
    own = {one.name for one in targets}
    targets += [
        _target(name, "", [], backlogs.get(name, Backlog()), here=False, known=name in announced)
        for name in sorted((announced | backlogs.keys()) - own)
    ]
    cursor = str(found[size - 1].id) if len(found) > size else None
    return Envelope(
        data=NotificationList(targets=targets, deliveries=[_delivery(one) for one in found[:size]], next_cursor=cursor)
    )


@router.post("/notifications/{delivery_id}/retry", summary="Send a notification again", responses=errors(404, 409))
@needs(About.EVERYTHING, Role.ADMIN)
async def retry_notification(deps: Given, delivery_id: DeliveryId) -> Envelope[DeliveryReply]:
    """Sends it once more, now, and as often as at first; one that was delivered is a 409."""
    async with deps.db.begin("notifications-retry") as tx:
        retried = await deliveries.retry(tx, delivery_id)
        found = await deliveries.get(tx, delivery_id)
    if found is None:
        raise ApiError(404, ApiCode.NOT_FOUND, f"There is no notification {delivery_id}.")
    if not retried:
        raise ApiError(409, ApiCode.CONFLICT, f"Notification {delivery_id} is {found.state}: it is not sent again.")
    return Envelope(data=_delivery(found))


@router.post("/notifications/targets/{name}/test", summary="Send a test message", responses=errors(404))
@needs(About.EVERYTHING, Role.ADMIN)
async def test_notification(deps: Given, name: TargetName) -> Envelope[TestReply]:
    """Sends a message of type `test` to the target, once, and says what became of it."""
    answer = await deps.notifications.test(name) if deps.notifications else None
    if answer is None:
        raise ApiError(404, ApiCode.NOT_FOUND, f"This server has no target {name!r}.")
    reply = TestReply(target=name, delivered=not answer.error, http_status=answer.status, error=answer.error)
    return Envelope(data=reply)


def _target(
    name: str, template: str, on: list[str], backlog: Backlog, *, here: bool = True, known: bool = True
) -> TargetReply:
    return TargetReply(
        name=name,
        here=here,
        known=known,
        template=template,
        on=on,
        waiting=backlog.waiting + backlog.offered,
        dead=backlog.dead,
        oldest=backlog.oldest,
    )


def _delivery(one: Delivery) -> DeliveryReply:
    data = one.event.data
    return DeliveryReply(
        id=one.id,
        target=one.target,
        state=one.state.value,
        type=one.event.type,
        message_id=one.event.id,
        app_id=one.event.app_id,
        name=data.get("name") or "",
        cluster=data.get("cluster") or DEFAULT_CLUSTER,
        namespace=data.get("namespace") or "",
        task_id=data.get("taskId"),
        attempts=one.attempts,
        http_status=one.http_status,
        error=one.error,
        create_time=one.created_at,
        last_time=one.tried_at,
        next_time=one.next_at,
    )
