"""Shortcodes of Hugo and Zola in bodies: they are found, run, and replaced by their results.

The owner's templates for them are in posts.tags. Text between a shortcode and its end stays in the body.

Public modules:
    embedded_shortcodes  the shortcodes built into Hugo and Zola
    held_html            HTML that tags made, which is kept out of Markdown
    run_shortcodes       running shortcodes
    shortcode_calls      finding the shortcodes in a text
"""

__all__ = ["embedded_shortcodes", "held_html", "run_shortcodes", "shortcode_calls"]
