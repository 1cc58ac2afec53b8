"""Notes that no edition will ever read, because their folder or their file is called like nothing there is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import datetime

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.models import Problem, Severity
from publisher.core.newsletter_models import slot_path
from publisher.newsletters.letter.note import NOTES_FOLDER
from publisher.newsletters.slots import slot_label


def stray_notes(config: Config, now: datetime) -> Iterator[Problem]:
    """Yield a warning for each folder under letters/ of no newsletter, and each note of no slot of its newsletter.

    Those of earlier years pass: the schedule may have been another one then.
    """
    names = [each.name for each in config.newsletters]
    folder = config.root / NOTES_FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        newsletter = config.newsletter(path.name)
        place = f"{NOTES_FOLDER}/{path.name}"
        if newsletter is not None and path.is_dir():
            yield from _of_newsletter(config, newsletter, now)
        elif path.is_dir() or path.suffix == ".md":
            near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
            hint = f"did you mean {NOTES_FOLDER}/{near[0]}/?" if near else f"notes stand in {NOTES_FOLDER}/NEWSLETTER/"
            yield Problem(place, 0, f"no newsletter is called {path.stem!r}", hint, Severity.WARNING)


def _of_newsletter(config: Config, newsletter: NewsletterConfig, now: datetime) -> Iterator[Problem]:
    schedule = parse_schedule(newsletter.schedule)
    each_post = schedule.kind is ScheduleKind.EACH_POST
    zone = config.newsletter_zone(newsletter)
    label = "post-ID" if each_post else slot_path(slot_label(schedule, now, zone))
    for path in sorted((config.root / NOTES_FOLDER / newsletter.name).glob("*.md")):
        name = path.stem
        fits = name.startswith("post-") if each_post else _shape(name) == _shape(label)
        if not fits and name[:4] >= f"{now:%Y}":
            yield Problem(
                f"{NOTES_FOLDER}/{newsletter.name}/{path.name}",
                0,
                f"no edition of {newsletter.name} is called {name!r}, so no letter carries this note",
                f"name it after an edition, like {label}.md",
                Severity.WARNING,
            )


def _shape(label: str) -> str:
    return re.sub(r"\d", "0", label)
