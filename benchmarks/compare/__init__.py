"""Feeds that several generators build from one hostile corpus, judged by the same rules.

traps.py and corpus.py make the posts; each generator has a module that writes them in its own dialect, set up as its
documentation says; program.py installs and runs; feed.py and reading.py read feeds, fragment.py the HTML in them;
evidence.py builds the variants; checks*.py judge; report.py makes the table.
"""
