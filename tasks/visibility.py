"""The one door to goals and tasks: what an author may see at all.

A person sees what everyone may see, what came out of conversations they take part in, and what they asked for, own
or are to do. An agent's run sees what everyone may see and what came out of its own conversation: whoever listens
there was there.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from messaging.models import Participant
from tasks.authors import Author
from tasks.models import Audience, AuthorKind, Goal, Task


def tasks(author: Author) -> QuerySet[Task]:
    rows = Task.objects.filter(organization_id=author.organization_id)
    if author.kind in (AuthorKind.WORKER, AuthorKind.SYSTEM):
        return rows
    mine = Q()
    if author.actor is not None:
        mine = (
            Q(requester_user_id=author.user_id)
            | Q(owner_user_id=author.user_id)
            | Q(assignee_user_id=author.user_id)
        )
    return rows.filter(_heard(author) | mine)


def goals(author: Author) -> QuerySet[Goal]:
    rows = Goal.objects.filter(organization_id=author.organization_id)
    mine = Q()
    if author.actor is not None:
        mine = Q(owner_user_id=author.user_id) | Q(created_by_user_id=author.user_id)
    return rows.filter(_heard(author) | mine)


def _heard(author: Author) -> Q:
    everyone = Q(audience=Audience.ORGANIZATION)
    if author.actor is not None:
        rooms = Participant.objects.filter(
            organization_id=author.organization_id, person__user_id=author.actor.user.pk
        )
        return everyone | Q(conversation_id__in=rooms.values("conversation_id"))
    if author.conversation_id is not None:
        return everyone | Q(conversation_id=author.conversation_id)
    return everyone
