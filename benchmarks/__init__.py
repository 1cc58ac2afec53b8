"""Benchmarks: what a build costs, beside other programs, in one run on one machine.

corpus.py makes posts, measure.py runs programs and counts, hugo.py is the peer, outputs.py reads what was
made; each other file is one benchmark with a command of its own.
"""
