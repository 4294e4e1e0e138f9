"""Celery jobs. Each may run twice, late, or not at all: rows decide."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tasks.services.schedules import clock, deliveries, ledger
from tasks.services.wakes import taking


@shared_task(name="tasks.tick", ignore_result=True)
def tick() -> None:
    clock.tick()


@shared_task(name="tasks.follow_deliveries", ignore_result=True)
def follow_deliveries() -> None:
    deliveries.follow()


@shared_task(name="tasks.account", ignore_result=True)
def account() -> None:
    ledger.sweep(now=timezone.now())


@shared_task(name="tasks.prune_wakes", ignore_result=True)
def prune_wakes() -> None:
    taking.prune()
