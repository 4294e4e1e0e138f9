from __future__ import annotations

import random
import re
import time
from collections import Counter

import pytest

from secret_store.scrubbing.rules import RULES, Rule
from secret_store.scrubbing.scrubber import Scrubber
from spacebot_site.bench.secrets import corpus

SCRUBBER = Scrubber([])
HEX, LOWER = "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz0123456789"
MIXED = LOWER + LOWER[:26].upper()


def drawn(alphabet: str, size: int) -> str:
    """Letters that look drawn by lot, the same in every run."""
    lot = random.Random(size)
    return "".join(lot.choice(alphabet) for _ in range(size - 1)) + "7"


m, h = (lambda size: drawn(MIXED, size)), (lambda size: drawn(HEX, size))
UUID = "-".join(h(size) for size in (8, 4, 4, 4, 12))

EXAMPLES: dict[str, str] = {
    "anthropic": f"sk-ant-api03-{m(80)}",
    "openai": f"sk-proj-{m(40)}-{m(20)}",
    "openai-legacy": f"sk-{m(48)}",
    "openrouter": f"sk-or-v1-{h(64)}",
    "github": f"ghp_{m(36)}",
    "github-fine-grained": f"github_pat_{m(22)}_{m(59)}",
    "gitlab": f"glpat-{m(20)}",
    "aws-access-key": "AKIAQ3EGRZ7KX2LMVN5T",
    "gcp-api-key": f"AIza{m(35)}",
    "slack": f"xoxb-123456789012-1234567890123-{m(24)}",
    "slack-app": f"xapp-1-A012345678-1234567890123-{h(64)}",
    "telegram-bot": f"1234567890:AA{m(33)}",
    "discord-bot": f"M{m(23)}.{m(6)}.{m(27)}",
    "stripe": f"sk_live_{m(24)}",
    "npm": f"npm_{m(36)}",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{m(80)}",
    "sendgrid": f"SG.{m(22)}.{m(43)}",
    "huggingface": f"hf_{m(34)}",
    "digitalocean": f"dop_v1_{h(64)}",
    "shopify": f"shpat_{h(32)}",
    "twilio": f"SK{h(32)}",
    "mailchimp": f"{h(32)}-us12",
    "hashicorp-terraform": f"{m(14)}.atlasv1.{m(64)}",
    "vault-token": f"hvs.{m(90)}",
    "postman": f"PMAK-{h(24)}-{h(34)}",
    "databricks": f"dapi{h(32)}",
    "new-relic": "NRAK-" + drawn(LOWER.upper(), 27),
    "linear": f"lin_api_{m(40)}",
    "notion": f"ntn_12345678901{m(35)}",
    "brave-search": f"BSA{m(28)}",
    "groq": f"gsk_{m(52)}",
    "xai": f"xai-{m(80)}",
    "age-secret-key": "AGE-SECRET-KEY-1" + drawn("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "jwt": f"eyJ{m(33)}.eyJ{m(60)}.{m(43)}",
    "password-hash": f"$2b$12${m(53)}",
    "doppler": f"dp.pt.{m(43)}",
    "heroku": f"HRKU-{UUID}",
    "planetscale": f"pscale_tkn_{m(43)}",
    "prefect": "pnu_" + drawn(LOWER, 36),
    "sentry": f"sntryu_{h(64)}",
}
IN_CONTEXT: dict[str, tuple[str, str]] = {
    # A text, and the part of it that is secret.
    "url-password": ("postgres://app:tr0ub4dor@db.internal/x", "tr0ub4dor"),
    "authorization-header": (f"Authorization: Bearer {m(30)}", m(30)),
    "curl-password": ("curl -s -u admin:tr0ub4dor https://x.test", "tr0ub4dor"),
    "datadog-token": (f"DATADOG_API_KEY={h(32)}", h(32)),
    "okta-token": (f'okta_token: "00{m(40)}"', f"00{m(40)}"),
    "setting": (f'"client_secret": "{m(32)}"', m(32)),
    "env-setting": (f"MY_SERVICE_TOKEN={m(32)}", m(32)),
    "webhook-slack": (f"https://hooks.slack.com/services/T0/B0/{m(30)}", m(30)),
    "cloudflare-token": (f"cloudflare_api_key = {m(40)}", m(40)),
    "mattermost-token": (f"mattermost token: {drawn(LOWER, 26)}", drawn(LOWER, 26)),
}
PEM = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_token_is_known_by_its_shape(name: str) -> None:
    done = SCRUBBER.scrub(f"Use {EXAMPLES[name]}, it works.")
    assert EXAMPLES[name] not in done.text
    assert done.hits
    assert done.text.startswith("Use [secret ")
    assert done.text.endswith("], it works.")


@pytest.mark.parametrize("name", IN_CONTEXT)
def test_a_token_is_known_by_what_stands_before_it(name: str) -> None:
    text, secret = IN_CONTEXT[name]
    done = SCRUBBER.scrub(text)
    assert secret not in done.text
    assert done.hits


def test_a_private_key_goes_whole_also_when_it_is_cut_off_or_written_in_one_line() -> None:
    body = "\n".join(m(64) for _ in range(20))
    for text in (PEM.format(body), PEM.format(body)[:700], PEM.format(body).replace("\n", "\\n")):
        assert SCRUBBER.scrub(f"a {text}").text.startswith("a [secret private-key]")
        assert m(64) not in SCRUBBER.scrub(f"a {text}").text


def test_every_rule_has_a_name_of_its_own_and_anchors_in_small_letters() -> None:
    assert [name for name, count in Counter(rule.id for rule in RULES).items() if count > 1] == []
    assert all(anchor == anchor.lower() and anchor for rule in RULES for anchor in rule.anchors)
    assert len(RULES) > 222


def test_no_rule_can_be_made_to_search_without_end() -> None:
    unbounded = re.compile(rb"(?<!\\)[*+](?!\+)|\{\d+,\}")
    in_class = re.compile(rb"\[[^\]]*\]")
    for rule in RULES:
        assert not unbounded.search(in_class.sub(b"", rule.expression.pattern)), rule.id


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_text_made_of_a_rules_anchors_is_read_in_time(rule: Rule) -> None:
    for anchor in rule.anchors or (b"a1" * 20,):
        text = (anchor.decode() * 100_000)[:60_000]
        started = time.thread_time()
        SCRUBBER.scrub(text)
        assert time.thread_time() - started < 3, anchor


def test_ordinary_text_is_hardly_ever_touched() -> None:
    text = corpus()
    spans = SCRUBBER.spans(text.encode())
    ours = [span for span in spans if b"-key-" not in text.encode()[span.start - 40 : span.end]]
    assert len(ours) / (len(text) / 1e6) < 12, Counter(span.name for span in ours)
