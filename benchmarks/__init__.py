"""Benchmarks of speed and memory, some against other programs in the same run, and proofs of what delivery promises.

corpus.py makes posts, measure.py runs programs and measures them, hugo.py and hugo_site.py set up Hugo, outputs.py
and site_outputs.py read the output; most other files are a benchmark or a proof with its own command.
"""
