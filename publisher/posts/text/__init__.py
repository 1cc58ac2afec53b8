"""The text of a post before a Markdown parser reads it: its encoding, its code and prose, and special characters.

Nothing here makes HTML. The modules answer questions about a text (which lines are code, where formulas are) or change
small things in it, so that a Markdown parser reads what the writer meant.

Public modules:
    comments      comments that readers would see
    encoding      decoding of bytes to clean text
    excerpt       plain text and the first words of a body
    hidden_words  words that a browser would hide
    merge_tags    code of other tools that readers should not see
    nesting       how deeply a body may be nested
    paid_parts    parts that other tools show only to members or paying readers
    prose         telling prose from code in a body, and finding lines in a file
    tex           finding TeX in a body
    typography    characters that a Markdown parser reads differently from what the writer means
"""

__all__ = [
    "comments",
    "encoding",
    "excerpt",
    "hidden_words",
    "merge_tags",
    "nesting",
    "paid_parts",
    "prose",
    "tex",
    "typography",
]
