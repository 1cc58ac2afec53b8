"""Checks a composed email and suggests fixes: the findings of `publisher check` and the preview.

Every finding has a code. The codes and their meanings are listed in finding_codes.py, from which docs/findings.md is
generated. A rule is a function that takes a LintContext and yields findings. Each module contains the rules for one
subject. Rules may read the project's files, but they neither write nor fetch anything. Begin with lint_letter.py, which
runs all rules.

Public modules:
    finding_codes  Finding, and every code with its meaning
    lint_letter    runs every rule over one letter
    spam           SpamAssassin's score, on request
"""

__all__ = ["finding_codes", "lint_letter", "spam"]
