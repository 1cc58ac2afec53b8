"""Benchmarks: what a build costs, beside other programs, in one run on one machine.

corpus.py makes posts, measure.py runs programs and counts, hugo.py and hugo_site.py set up the peer, outputs.py and
site_outputs.py read what was made; each other file is one benchmark with a command of its own.
"""
