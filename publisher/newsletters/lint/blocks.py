"""Blocks of a letter's templates that fill nothing, because no template they extend has one of that name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from publisher.core.templates import SHIPPED_PREFIX
from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.letter_context import Case


def block_findings(case: Case) -> Iterator[Finding]:
    """Yield each block that an extending template writes for nothing, with the name that was likely meant."""
    import jinja2
    from jinja2 import nodes

    environment = jinja2.Environment(autoescape=True)
    family = case.places.templates.family(f"email/{case.newsletter.template}.html")
    trees = {name: environment.parse(text) for name, text in family.items() if name.endswith(".html")}
    blocks = {name: {each.name for each in tree.find_all(nodes.Block)} for name, tree in trees.items()}
    for name, tree in trees.items():
        if not any(isinstance(node, nodes.Extends) for node in tree.body):
            continue
        known = set().union(*(names for other, names in blocks.items() if other != name))
        for node in tree.body:
            if isinstance(node, nodes.Block) and node.name not in known:
                near = difflib.get_close_matches(node.name, sorted(known), n=1)
                yield found(
                    "block-unknown",
                    f"templates/{name.removeprefix(f'{SHIPPED_PREFIX}/')}:{node.lineno}",
                    f"no template that this one extends has a block {node.name!r}, so it is not shown",
                    f"did you mean {near[0]!r}?" if near else "",
                )
