"""Posts in formats other than Markdown and HTML. They are converted to one of these two.

Nothing in them is run.

Public modules:
    jsx_calls          elements and expressions of JSX in a text
    mdx                MDX as Markdown
    quarto             a Quarto document as Markdown
    restructured_text  reStructuredText as HTML
    rst_directives     directives and roles that docutils does not know
    rst_fields         the front matter of a post in reStructuredText
    rst_html           how docutils reads and writes reStructuredText here
"""

__all__ = ["jsx_calls", "mdx", "quarto", "restructured_text", "rst_directives", "rst_fields", "rst_html"]
