"""Newsletters become editions: which slots are due, which posts go, and the letter that carries them.

schedule and select are pure and import fast; compose loads templates, lxml and premailer when called for.
"""
