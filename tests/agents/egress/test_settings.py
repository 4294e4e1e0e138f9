"""What is set about the way out is observed at the tools that go it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agents.egress import pools
from agents.egress.client import fetch
from agents.egress.errors import Unreachable
from agents.egress.search.base import FRESHNESS
from agents.egress.search.fake import FakeSearch
from agents.models import Agent, CallState
from agents.services.egress import add_rule
from secret_store import locking
from secret_store.services import set_secret
from tests.agents.conftest import Engine
from tests.agents.egress.site import Site, reaching
from tests.agents.egress.test_tools import ROWS, use

KEY = "BRAVE_SEARCH_API_KEY"
NOT_LISTED = "not among the hosts this agent may reach"


@pytest.fixture(autouse=True)
def _nobody_knows_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str) -> list[str]:
        raise OSError(f"no name {host}")

    monkeypatch.setattr("agents.egress.checking.system_resolver", resolve)


@pytest.mark.parametrize(
    ("url", "passes"),
    [
        ("https://docs.example.org/", True),
        ("https://a.pages.example.net/", True),
        ("https://docs.example.org:9000/", False),
        ("https://elsewhere.org/", False),
    ],
)
def test_a_list_of_hosts_holds_for_fetching(engine: Engine, url: str, passes: bool) -> None:
    for host in ("docs.example.org", "*.pages.example.net"):
        add_rule(engine.team.owner, kind="allow", host=host)
    said = use(engine, "web_fetch", url=url).result
    assert ("there is no host" in said) is passes
    assert ("refused" in said) is not passes


def test_a_listed_port_is_open_for_fetching(engine: Engine) -> None:
    add_rule(engine.team.owner, kind="allow", host="docs.example.org:9000")
    assert "there is no host" in use(engine, "web_fetch", url="https://docs.example.org:9000/").result


def test_an_agents_own_list_counts_in_place_of_the_organizations(engine: Engine) -> None:
    add_rule(engine.team.owner, kind="allow", host="docs.example.org")
    add_rule(engine.team.owner, kind="allow", host="own.example.org", agent_id=engine.team.agent.pk)
    assert NOT_LISTED in use(engine, "web_fetch", url="https://docs.example.org/").result


def test_a_list_for_another_agent_changes_nothing(engine: Engine) -> None:
    other = Agent.objects.create(organization=engine.team.organization, slug="other", name="Other")
    add_rule(engine.team.owner, kind="allow", host="own.example.org", agent_id=other.pk)
    assert "there is no host" in use(engine, "web_fetch", url="https://docs.example.org/").result


def test_a_private_exception_of_the_agent_opens_it(engine: Engine) -> None:
    with Site({"/": (200, {}, b"<p>inner</p>")}) as site:
        add_rule(
            engine.team.owner, kind="private", host=f"127.0.0.1:{site.port}", agent_id=engine.team.agent.pk
        )
        assert "| inner" in use(engine, "web_fetch", url=site.url).result


def test_an_agents_own_key_searches_before_the_shared_one(engine: Engine, settings: Any) -> None:
    organization = engine.team.organization
    set_secret(None, organization, name=KEY, value="shared-key")
    set_secret(None, organization, name=KEY, value="own-key", agent_id=engine.team.agent.pk)
    with FakeSearch(ROWS, key="own-key") as fake:
        settings.SPACEBOT_BRAVE_URL = fake.url
        assert use(engine, "web_search", query="x").state == CallState.SUCCEEDED


def test_a_stored_key_counts_before_a_searxng(engine: Engine, settings: Any) -> None:
    set_secret(None, engine.team.organization, name=KEY, value="key")
    with FakeSearch(ROWS) as brave, FakeSearch(ROWS) as searxng:
        settings.SPACEBOT_BRAVE_URL, settings.SPACEBOT_SEARXNG_URL = brave.url, searxng.url
        use(engine, "web_search", query="x")
        assert (len(brave.asked), len(searxng.asked)) == (1, 0)


def test_while_secrets_are_locked_searching_says_so(engine: Engine, settings: Any) -> None:
    set_secret(None, engine.team.organization, name=KEY, value="key")
    locking.lock(None, "correct horse battery")
    with FakeSearch(ROWS) as fake:
        settings.SPACEBOT_BRAVE_URL = fake.url
        row = use(engine, "web_search", query="x")
    assert row.state == CallState.FAILED
    assert "locked" in row.result
    assert fake.asked == []


@pytest.mark.parametrize("freshness", FRESHNESS)
def test_each_wish_for_fresh_hits_reaches_brave(engine: Engine, settings: Any, freshness: str) -> None:
    set_secret(None, engine.team.organization, name=KEY, value="key")
    with FakeSearch(ROWS) as fake:
        settings.SPACEBOT_BRAVE_URL = fake.url
        use(engine, "web_search", query="x", freshness=freshness)
    assert fake.asked == [{"q": "x", "count": "5", "freshness": f"p{freshness[0]}"}]


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[tuple[Site, Path]]:
    """A site over TLS whose certificate no public authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Inner authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle, private = tmp_path / "bundle.pem", tmp_path / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, private)
    with Site({"/": (200, {}, b"inner")}) as site:
        site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
        yield site, bundle
    pools.close_all()
    pools._tls.cache_clear()


def test_a_bundle_of_ones_own_says_whose_certificates_count(
    signed: tuple[Site, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, bundle = signed
    checker, url = reaching(("127.0.0.1", site.port)), f"https://127.0.0.1:{site.port}/"
    pools._tls.cache_clear()
    with pytest.raises(Unreachable):
        fetch(url, checker=checker)
    pools.close_all()
    pools._tls.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert fetch(url, checker=checker).body == b"inner"
