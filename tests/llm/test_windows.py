from __future__ import annotations

from llm.models import ModelEntry, Provider
from llm.services.routing import get_routing
from llm.services.setup import update_model
from llm.services.windows import SMALLEST, learn_window
from tests.factories import Team


def make_entry(team: Team) -> ModelEntry:
    provider = Provider.objects.create(organization=team.organization, name="p", kind="scripted")
    return ModelEntry.objects.create(
        organization=team.organization, provider=provider, name="m", context_window=100_000
    )


def learn(team: Team, entry: ModelEntry, limit: int | None, refused: int) -> int | None:
    learn_window(get_routing(team.organization.pk).entries[entry.pk], limit, refused)
    entry.refresh_from_db()
    return entry.learned_window


def test_a_refusal_lowers_the_window_and_never_raises_it(team: Team) -> None:
    entry = make_entry(team)
    assert learn(team, entry, 50_000, 60_000) == 50_000
    assert learn(team, entry, 80_000, 90_000) == 50_000
    assert learn(team, entry, None, 40_000) == 36_000
    assert get_routing(team.organization.pk).entries[entry.pk].context_window == 36_000


def test_a_limit_above_what_we_sent_means_that_our_estimate_was_short(team: Team) -> None:
    assert learn(team, make_entry(team), 50_000, 40_000) == 36_000


def test_a_window_is_never_taught_to_be_useless(team: Team) -> None:
    assert learn(team, make_entry(team), 10, 20) == SMALLEST


def test_setting_a_window_by_hand_forgets_what_was_learned(team: Team) -> None:
    entry = make_entry(team)
    learn(team, entry, 50_000, 60_000)
    update_model(team.owner, entry.pk, context_window=120_000)
    entry.refresh_from_db()
    assert entry.learned_window is None
    assert get_routing(team.organization.pk).entries[entry.pk].context_window == 120_000
