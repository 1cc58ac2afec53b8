"""Posts in other formats than Markdown and HTML, which become one of these two.

Nothing in them is run.

Public modules:
    jsx_calls  elements and expressions of JSX in a text
    mdx        MDX as Markdown
"""

__all__ = ["jsx_calls", "mdx"]
