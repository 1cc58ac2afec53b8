"""CSS as a writer writes it, and what a letter can hold of it: reading, sorting, merging, and saying what is lost.

tinycss2 reads it (the only user), cssselect the selectors. Nothing here fetches anything or knows of HTML.
"""
