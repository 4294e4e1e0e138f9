from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.egress.addresses import why_not_public
from agents.egress.checking import Checker
from agents.egress.errors import Refused, Unreachable
from agents.egress.names import read_host, read_url
from agents.egress.policy import OPEN, Policy
from spacebot_site.bench.egress_attacks import PRIVATE_NAMES, SPELLINGS


def meaning(*addresses: str) -> Checker:
    return Checker(OPEN, lambda host: list(addresses))


@pytest.mark.parametrize("url", SPELLINGS)
def test_no_spelling_of_a_private_place_is_reached(url: str) -> None:
    def lead_there() -> None:
        target = read_url(url)
        meaning("93.184.215.14").addresses(target.host, target.port)

    with pytest.raises(Refused):
        lead_there()


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_private_and_metadata_names_are_refused_before_they_are_looked_up(name: str) -> None:
    def resolve(host: str) -> list[str]:
        raise AssertionError("it was looked up")

    with pytest.raises(Refused):
        Checker(OPEN, resolve).addresses(read_host(name), 80)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.215.14", "10.0.0.1"],
        ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%eth0"],
        ["169.254.169.254"],
        ["not an address"],
    ],
)
def test_all_addresses_of_a_name_must_be_public(addresses: list[str]) -> None:
    with pytest.raises(Refused):
        meaning(*addresses).addresses("site.com", 443)


def test_public_addresses_are_returned_to_be_dialled() -> None:
    public = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
    assert meaning(*public).addresses("site.com", 443) == public
    assert meaning().addresses("93.184.215.14", 80) == ["93.184.215.14"]
    with pytest.raises(Unreachable):
        meaning().addresses("site.com", 443)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("https://example.com:443/a b?c=ü#d", "https://example.com/a%20b?c=%C3%BC"),
        ("http://例え.jp/", "http://xn--r8jz45g.jp/"),
        ("http://ｅｘａｍｐｌｅ。com./x", "http://example.com/x"),
        ("http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8080/", "http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8080/"),
        ("http://0x5db8d70e/", "http://93.184.215.14/"),
    ],
)  # fmt: skip
def test_an_address_is_given_back_in_one_form(url: str, canonical: str) -> None:
    assert read_url(url).url == canonical
    assert read_url(canonical).url == canonical


@given(st.integers(0, 2**32 - 1), st.data())
def test_every_spelling_of_a_number_means_the_same_address(value: int, data: st.DataObject) -> None:
    parts = data.draw(st.integers(1, 4))
    head = [(value >> (24 - 8 * place)) & 255 for place in range(parts - 1)]
    numbers = [*head, value & (256 ** (5 - parts) - 1)]
    spelt = ".".join(data.draw(st.sampled_from([str(n), hex(n), f"0{n:o}", f"000{n:o}"])) for n in numbers)
    assert read_host(spelt) == str(IPv4Address(value))


@given(st.integers(0, 2**32 - 1))
def test_what_an_ipv6_address_carries_is_judged_as_what_it_carries(value: int) -> None:
    carried = IPv4Address(value)
    for form in (f"::ffff:{carried}", f"64:ff9b::{value >> 16:x}:{value & 0xFFFF:x}"):
        assert bool(why_not_public(ip_address(form))) == bool(why_not_public(carried))
    assert why_not_public(ip_address(f"2002:{value >> 16:x}:{value & 0xFFFF:x}::1"))


@given(st.text(max_size=60))
def test_any_text_is_a_target_in_one_form_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://{text}/x"):
        try:
            target = read_url(url)
        except Refused:
            continue
        assert read_url(target.url) == target


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.com", "javascript:alert(1)", "//example.com", "example.com", "", "gopher://x",
     "http:/example.com", "http://", "https://user@example.com", "http://example.com:0", "http://example.com:99999",
     "http://example.com:x", "http://exa mple.com", "http://a\\@127.0.0.1/", "http://[::1", "http://a..b", "http://-a.com"],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        read_url(url)


def test_a_list_of_hosts_closes_all_others() -> None:
    policy = Policy(allowed=frozenset({("example.com", 0), ("*.docs.org", 0), ("api.site.com", 9000)}))
    checker = Checker(policy, lambda host: ["93.184.215.14"])
    for host, port in [("example.com", 443), ("a.docs.org", 80), ("api.site.com", 9000)]:
        assert checker.addresses(host, port)
    for host, port in [("www.example.com", 443), ("docs.org", 80), ("evildocs.org", 80), ("example.com", 9000),
                       ("93.184.215.14", 80)]:  # fmt: skip
        with pytest.raises(Refused):
            checker.addresses(host, port)


@pytest.mark.parametrize("port", [22, 25, 53, 5432, 6379, 6443, 11211, 9000])
def test_ports_that_are_not_the_webs_are_refused(port: int) -> None:
    with pytest.raises(Refused, match="port"):
        meaning("93.184.215.14").addresses("site.com", port)


def test_a_private_host_is_reached_only_by_its_exception_and_metadata_never() -> None:
    places = frozenset(
        {("127.0.0.1", 8888), ("search.lan", 80), ("169.254.169.254", 80), ("metadata.google.internal", 80)}
    )
    checker = Checker(Policy(private=places), {"search.lan": ["192.168.1.5"]}.__getitem__)
    assert checker.addresses("127.0.0.1", 8888) == ["127.0.0.1"]
    assert checker.addresses("search.lan", 80) == ["192.168.1.5"]
    for host, port in [
        ("127.0.0.1", 8080),
        ("search.lan", 443),
        ("169.254.169.254", 80),
        ("metadata.google.internal", 80),
    ]:
        with pytest.raises(Refused):
            checker.addresses(host, port)


def test_this_machines_own_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.egress.checking.is_our_own", lambda address: str(address) == "93.184.215.14")
    with pytest.raises(Refused, match="this machine's own"):
        meaning("93.184.215.14").addresses("site.com", 443)
