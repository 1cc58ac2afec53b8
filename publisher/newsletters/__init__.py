"""What a newsletter sends: when an edition is due, which posts it takes, and the email with them.

A newsletter has slots, the times at which an edition is due. For a slot, select takes the posts that have not been
sent yet; variants divides them among subscribers who chose topics; letter renders one email for each variant; lint
finds what is wrong with it. This room decides and renders, and changes nothing: publishing carries out what is decided
here, the store remembers it, and mail delivers it. Begin with slots.py, then select.py.

    slots     the due times of a schedule, and whether an edition is due, late or to be made early
    select    the posts that an edition takes
    variants  one version of an edition for each selection of topics
    letter    the email (a package)
    lint      the findings about an email (a package)
"""

__all__ = ["letter", "lint", "select", "slots", "variants"]
