"""Benchmarks: what a build costs, compared with other programs, in one run on one machine.

corpus.py makes posts, measure.py runs programs and counts, hugo.py and hugo_site.py set up Hugo, outputs.py and
site_outputs.py read the output; each other file is one benchmark with its own command.
"""
