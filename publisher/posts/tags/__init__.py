"""The tags of other tools in bodies: templates and shortcodes are run, and replaced by the text that they make.

Each step takes the text of a body and returns an Expanded, which records the line of the body that each of its lines
comes from, so that all later steps can name the line that the writer sees.

Public modules:
    expanded         a text that a step made from another one, and where its lines come from
    owner_templates  the owner's templates for tags
"""

__all__ = ["expanded", "owner_templates"]
