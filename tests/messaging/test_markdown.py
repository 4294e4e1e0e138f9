from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.markdown import _render, render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("hello", "<p>hello</p>\n"),
        ("**bold** & <b>raw</b>", "<p><strong>bold</strong> &amp; &lt;b&gt;raw&lt;/b&gt;</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("```python\nx\n```", '<pre><code class="language-python">x\n</code></pre>\n'),
        ('```"onload=x\nx\n```', "<pre><code>x\n</code></pre>\n"),
        (
            "[x](https://e.org)",
            '<p><a href="https://e.org" target="_blank" rel="noopener nofollow">x</a>'
            ' <span class="link-target">(e.org)</span></p>\n',
        ),
        (
            "![cat](https://e.org/c.png)",
            '<p><a href="https://e.org/c.png" target="_blank" rel="noopener nofollow">cat</a>'
            ' <span class="link-target">(e.org)</span></p>\n',
        ),
        ("1\\. one", "<p>1. one</p>\n"),
        ("1. one", "<ol>\n<li>one</li>\n</ol>\n"),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
    ],
)
def test_markdown_becomes_safe_html(text: str, html: str) -> None:
    assert render(text) == html


def test_a_linked_image_is_one_link() -> None:
    assert render("[![cat](https://e.org/c.png)](https://e.org)").count("<a ") == 1


def test_a_picture_is_never_loaded() -> None:
    assert "<img" not in render("![x](https://e.org/track.png)\n\n<img src=x>")


@given(st.text(alphabet="abZ 019.,;:!?'\"()%-_*#[]<>&\\`~+=|é漢\n", max_size=60))
@settings(max_examples=500)
def test_the_shortcut_for_plain_text_gives_the_same_as_the_parser(text: str) -> None:
    assert render(text) == _render(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[here](https://evil.test/x)", '>here</a> <span class="link-target">(evil.test)</span>'),
        ("[https://bank.test](https://evil.test)", '</a> <span class="link-target">(evil.test)</span>'),
        ("[bank.test](https://bank.test@evil.test/)", '</a> <span class="link-target">(evil.test)</span>'),
        (
            "[**bank.test**](https://evil.test:8443/)",
            '</a> <span class="link-target">(evil.test:8443)</span>',
        ),
        ("![chart](https://evil.test/?q=1)", '>chart</a> <span class="link-target">(evil.test)</span>'),
        ("[write](mailto:a@evil.test?subject=x)", '</a> <span class="link-target">(a@evil.test)</span>'),
    ],
)
def test_a_link_shows_where_it_leads(text: str, shown: str) -> None:
    html = render(text)
    assert shown in html
    assert "<img" not in html


@pytest.mark.parametrize(
    "text",
    [
        "[https://bank.test/](https://bank.test)",
        "<https://bank.test/path>",
        "[bank.test](https://bank.test/)",
    ],
)
def test_a_link_that_says_where_it_leads_says_it_once(text: str) -> None:
    assert "link-target" not in render(text)


def test_nobody_else_makes_a_target() -> None:
    assert "<span" not in render('<span class="link-target">(bank.test)</span>')
