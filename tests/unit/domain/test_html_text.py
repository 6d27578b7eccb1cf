from __future__ import annotations

import pytest

from foreword.domain.html_text import text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("<p></p> \n ", ""),
        ("a &amp; b\n  c", "a & b c\n"),
        ("<h1>Hi</h1><p>one<br>two</p>\n<p>three</p>", "Hi\n\none\ntwo\n\nthree\n"),
        ("<p>x</p><ul><li>a</li>\n<li><p>b</p></li><li></li></ul><p>y</p>", "x\n\n- a\n- b\n\ny\n"),
        ("<head><title>t</title><style>s</style></head><body>b<script>c</script></body>", "b\n"),
        ('<div style="display:none">pre <b>h</b><br></div><div hidden>x</div><p>seen</p>', "seen\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
        (
            '<p>Go <a href="https://x.example/?a=1&amp;b=2">there</a>.</p>',
            "Go there (https://x.example/?a=1&b=2).\n",
        ),
        ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/\n"),
        ('<a href="https://x.example/"><img src="i.png" alt=""></a>', "https://x.example/\n"),
        ('<a href="mailto:a@x.example">write</a> <a href="tel:+491">+491</a>', "write (a@x.example) +491\n"),
        ('<a href="#top">top</a> <img alt="a cat">', "top a cat\n"),
        ("&lt;b&gt; stays text", "<b> stays text\n"),
    ],
)
def test_html_reads_as_text(html: str, text: str) -> None:
    assert text_of(html) == text
