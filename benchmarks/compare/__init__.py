"""Feeds of one hostile corpus, made by several generators and judged alike.

traps.py and corpus.py make the posts; each generator has a module that writes them in its own dialect, set up
as its documentation shows; program.py installs and runs; feed.py and reading.py read feeds,
fragment.py the HTML in them; evidence.py builds the variants; checks*.py judge; report.py makes the table.
"""
