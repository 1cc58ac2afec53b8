"""Shortcodes of Hugo and Zola in bodies: they are found, run, and replaced by what they make.

The owner's templates for them are in posts.tags. What is between a shortcode and its end stays in the body.

Public modules:
    embedded_shortcodes  the shortcodes that Hugo and Zola bring
    held_html            HTML that tags made, which is kept out of Markdown
    run_shortcodes       shortcodes that are run
    shortcode_calls      the shortcodes in a text
"""

__all__ = ["embedded_shortcodes", "held_html", "run_shortcodes", "shortcode_calls"]
