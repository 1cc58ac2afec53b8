"""Front matter: the block at the top of a post's file becomes the metadata of a Post.

The dialects of all blog tools become one: parsing splits the block and parses plain lines, formats does YAML, TOML and
JSON with their libraries, other_tools and field_names translate the keys of other tools, and metadata makes the values.
Keys that are unknown, misspelled or repeated are reported.

Public modules:
    dates       parsing of dates in front matter
    enclosures  podcast episodes and other attached files
    parsing     splitting and parsing of front matter
    post_id     reading and writing the id in a post's front matter
    preamble    text that may precede front matter, and front matter in the wrong place
"""

__all__ = ["dates", "enclosures", "parsing", "post_id", "preamble"]
