"""Following what was handed to the outbox, and handing it over again. The work itself is never repeated for a delivery."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict
from messaging.services.outbox import send_again
from realtime.services import unit_of_work
from tasks.models import DeliveryResult, Firing, Schedule
from tasks.queries.schedules import check_may_steer, get_firing
from tasks.services.schedules.results import count, delivery_of
from tasks.services.schedules.rows import hold, tell

SWEEP_LIMIT = 200


def follow() -> int:
    """Take over what became of deliveries under way; return how many have a result now. Idle, it reads an empty index."""
    pending: QuerySet[Firing] = Firing.objects.filter(delivery=DeliveryResult.PENDING).select_related(
        "message"
    )
    settled = 0
    for firing in pending.order_by("pk")[:SWEEP_LIMIT]:
        if firing.message is None or delivery_of(firing.message) != DeliveryResult.PENDING:
            settled += _settle(firing.pk)
    return settled


def _settle(firing_id: int) -> int:
    with unit_of_work():
        firing = Firing.objects.select_related("schedule", "message").get(pk=firing_id)
        schedule = hold(firing.schedule)
        locked = Firing.objects.select_for_update(of=("self",)).select_related("message").get(pk=firing_id)
        if locked.delivery != DeliveryResult.PENDING:
            return 0
        locked.delivery = delivery_of(locked.message) if locked.message else DeliveryResult.FAILED
        locked.delivered_at = timezone.now() if locked.delivery == DeliveryResult.DELIVERED else None
        locked.save(update_fields=["delivery", "delivered_at"])
        count(schedule, locked, speaker=locked.message.author_name if locked.message else schedule.name)
        tell(schedule, locked)
    return 1


def deliver_again(actor: Actor, schedule_id: int, firing_id: int) -> Firing:
    """Send what a firing made once more, from the outbox. Raises Conflict unless its delivery has failed."""
    firing = get_firing(actor, schedule_id, firing_id)
    check_may_steer(actor, firing.schedule)
    with unit_of_work():
        schedule: Schedule = hold(firing.schedule)
        locked = Firing.objects.select_for_update(of=("self",)).select_related("message").get(pk=firing.pk)
        if locked.delivery != DeliveryResult.FAILED or locked.message is None:
            raise Conflict("There is nothing here that could not be delivered.")
        send_again(locked.message)
        locked.delivery = DeliveryResult.PENDING
        locked.save(update_fields=["delivery"])
        tell(schedule, locked)
    return locked
