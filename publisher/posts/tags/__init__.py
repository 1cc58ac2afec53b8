"""The tags of other tools in bodies: templates and shortcodes are run, and their words take their place.

Each step takes the text of a body and returns an Expanded, which knows from which line of the body each of its
lines comes, so that all later steps can name the line that the writer sees.

Public modules:
    expanded         a text that a step made of another one, and where its lines come from
    owner_templates  the owner's templates for tags
"""

__all__ = ["expanded", "owner_templates"]
