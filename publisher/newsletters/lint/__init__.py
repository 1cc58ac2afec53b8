"""What is wrong with a composed email, and how to fix it: the findings of `publisher check` and the preview.

Every finding has a code, which is listed with its meaning in finding_codes.py; docs/findings.md is generated from it.
A rule is a function that takes a LintContext and yields findings; the rules are grouped by what they look at. They
read the files that they name, but write nothing, and fetch nothing. Begin with lint_letter.py, which runs them all.

    finding_codes  Finding, and every code with its meaning
    lint_letter    runs every rule over one letter
    spam           SpamAssassin's score, on request
"""

__all__ = ["finding_codes", "lint_letter", "spam"]
