"""The contents of newsletters: when an edition is due, which posts it contains, and how its email looks.

A newsletter has slots, the times at which an edition is due. For a slot, select chooses the posts that have not been
sent yet; variants divides them among subscribers who chose topics; letter renders one email for each variant; and lint
finds the problems in that email. This package decides and renders, but changes nothing: publishing carries out its
decisions, the store records them, and mail delivers the emails. Begin with slots.py, then select.py.

Public modules:
    slots     the scheduled times of a newsletter, and whether an edition is due, late or early
    select    the posts that an edition contains
    streams   the editions of a newsletter's own schedule, and of each frequency that subscribers can choose
    variants  one version of an edition for each selection of topics
    letter    the email (a package)
    lint      the checks of an email (a package)
"""

__all__ = ["letter", "lint", "select", "slots", "streams", "variants"]
