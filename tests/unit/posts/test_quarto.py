"""Quarto documents are read as Markdown, and the code in their cells is not run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from publisher.config import Posts
from publisher.core.models import RenderedPost
from publisher.posts.formats.quarto import quarto_as_markdown
from tests.support.posts_samples import Folder

NAME = "2024-07-06-hello.qmd"


def shown(body: str, head: str = "title: A title") -> RenderedPost:
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root), posts=Posts(tool="quarto"))
        folder.write(NAME, body, head)
        folder.file("_variables.yml", "shop:\n  name: Tea\n")
        return folder.render(NAME, inspect=False)


def test_a_quarto_document_is_markdown() -> None:
    for body, expected in (
        ("*a*\n\n```python\n#| echo: false\nx\n```",
         '<p><em>a</em></p>\n<pre><code class="language-python">#| echo: false\nx\n</code></pre>'),
        ("```{python}\n#| eval: false\n#| label: fig-x\nx = {1}\n```",
         '<pre><code class="language-python">x = {1}\n</code></pre>'),
        ("```{mermaid}\n%%| fig-width: 3\na\n```", '<pre><code class="language-mermaid">a\n</code></pre>'),
        ("```{r, eval=FALSE}\nx\n```", '<pre><code class="language-r">x\n</code></pre>'),
        ("```{r setup, include=FALSE}\nx\n```\nA", "<p>A</p>"),
        ("```{=html}\n<b>a</b>\n```\n\n```{=latex}\n\\b\n```\nA", "<p><b>a</b></p>\n<p>A</p>"),
        ("```{.python}\nx\n```", '<pre><code class="language-python">x\n</code></pre>'),
        ("::: {.callout-tip}\n## T\nA\n:::\n\n::: {.column-margin}\nB\n:::",
         '<div class="markdown-alert markdown-alert-tip">\n<p class="markdown-alert-title">T</p>\n<p>A</p>\n</div>\n'
         "<p>B</p>"),
        ("{{< meta title >}} {{< var shop.name >}}{{< pagebreak >}} {{< kbd Ctrl-C >}}",
         "<p>A title Tea <kbd>Ctrl-C</kbd></p>"),
        ("````md\n```{python}\nx\n```\n````", '<pre><code class="language-md">```{python}\nx\n```\n</code></pre>'),
    ):  # fmt: skip
        result = shown(body)
        assert (result.html.strip(), list(result.problems)) == (expected, []), body
    assert "youtube.com/embed/abc" in shown("{{< video https://youtu.be/abc >}}").html


def test_cells_that_are_not_run_are_reported_once_with_the_line() -> None:
    first, second = "```{python}\n#| label: a\n1 + 1\n```", "```{r}\n#| echo: false\nplot(x)\n```"
    result = shown(f"A\n\n{first}\n\n{second}\n\nB `{{python}} x`\n\n{{{{< no >}}}}")
    assert 'class="language-python">1 + 1\n' in result.html and "plot" not in result.html
    assert [(p.line, p.message.partition(":")[0]) for p in result.problems] == [
        (6, "3 cells are not run, so readers don't see the results"),
        (18, "shortcodes without a template are shown as is"),
    ]
    assert shown("```{python}\nx\n```", "title: A\nexecute:\n  eval: false").problems == ()
    assert shown("```{python}\nx\n```\n\nB", "title: A\nexecute: {echo: false, eval: no}").html == "<p>B</p>\n"


def test_an_unclosed_cell_costs_little() -> None:
    for body in ("```{python}\n" * 20_000, "```{r}\n#| a: b\n" * 10_000, "`r " * 50_000):
        assert quarto_as_markdown(body, {}).text is not None
