"""Everything `publisher check` tells: heads and bodies of all posts, links into the site, letters, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from publisher.config import CONFIG_FILE, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.origins import KeyLines
from publisher.config.schedule import parse_duration
from publisher.config.theme import Theme
from publisher.core.models import Problem, RenderedPost, Severity
from publisher.newsletters.letter.note import stray_notes
from publisher.posts.archive import Archive, open_archive
from publisher.posts.enclosures import unknown_lengths
from publisher.posts.markup import LocalLink
from publisher.publishing.next_letter import Proof, read_proofs
from publisher.publishing.render import unmade
from publisher.site.build.folder import stray_feeds
from publisher.site.build.ids import id_problems
from publisher.site.build.site_files import built_paths
from publisher.site.feeds.validator import feed_problems

# Findings that the posts' and settings' own problems tell already, at the same place.
_TOLD_TWICE = ("alt-missing", "link-broken", "postal-missing", "sender-missing")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is wrong with a project, by path and line, and with each newsletter's next letter."""

    problems: tuple[Problem, ...]
    proofs: tuple[Proof, ...] = ()


def inspect_project(
    config: Config, now: datetime, progress: Callable[[int, int], None] | None, *, spam: bool = False
) -> Inspection:
    """Return everything that is wrong with a project as it is at `now`; render everything, write nothing.

    spam  asks SpamAssassin about the letters too, which takes some seconds each
    """
    from publisher.posts.markup import BrokenPost, Renderer

    archive = open_archive(config, now, keep=False)
    renderer = Renderer(archive, config, inspect=True)
    problems = list(archive.problems)
    rendered = []
    for number, post in enumerate(archive.posts):
        if progress:
            progress(number, len(archive.posts))
        try:
            rendered.append(renderer.render(post))
        except BrokenPost as broken:
            problems.append(broken.problem)
    for each in rendered:
        problems.extend(each.problems)
    renderer.remember()
    problems.extend(archive.asset_clashes())
    if config.pages.enabled:
        problems.extend(dead_links(config, archive, rendered, renderer.local_links))
    problems.extend(unknown_lengths(archive.folder, config.posts.folder, archive.posts))
    unknown = {enclosure.url for post in archive.posts for enclosure in post.enclosures if not enclosure.length}
    problems.extend(feed_problems(config, config.root / config.pages.output, unknown))
    problems.extend(stray_feeds(config.root / config.pages.output, config.pages.output))
    problems.extend(id_problems(config, archive))
    problems.extend(_settings(config))
    problems.extend(stray_notes(config, now))
    problems.extend(_orphaned(config))
    proofs = _proofs(config, archive, now, spam)
    problems.extend(unmade(proof.planned.newsletter.name, proof.error) for proof in proofs if proof.error)
    return Inspection(
        tuple(sorted(set(problems), key=lambda p: (p.path, p.line, p.message))),
        tuple(_without_repetition(proof, problems) for proof in proofs if proof.letter),
    )


def dead_links(
    config: Config, archive: Archive, posts: Sequence[RenderedPost], local: Mapping[str, Sequence[LocalLink]]
) -> list[Problem]:
    """Return the links of posts that were written without a domain and at which the build writes nothing.

    A link with the site's own domain is believed: something else may be served there.
    """
    planned = built_paths(config, archive, posts)
    found = []
    for post in posts:
        for link in local.get(post.post.source, ()):
            path = _site_path(config, link.url)
            if path is not None and not _is_there(path, planned):
                found.append(_dead(f"{config.posts.folder}/{post.post.source}", link))
    return found


def _site_path(config: Config, address: str) -> str | None:
    """The path of an address of this site, relative to its root; None for the rest of the world."""
    if not address.startswith(f"{config.site_url}/"):
        return None
    return unquote(urlsplit(address).path)[len(urlsplit(config.site_url).path) :].lstrip("/")


def _is_there(path: str, planned: frozenset[str]) -> bool:
    # The web application and the archive of editions come and go with readers and letters.
    if path.split("/")[0] in ("editions", "subscribe", "preferences", "unsubscribe"):
        return True
    return any(name in planned for name in (path, f"{path.rstrip('/')}/index.html".lstrip("/"), f"{path}.html"))


def _dead(path: str, link: LocalLink) -> Problem:
    return Problem(
        path,
        link.line,
        f"the link to {link.written} leads to no page of this site",
        "mend it, or write the whole address if the page is elsewhere",
        Severity.WARNING,
    )


def _settings(config: Config) -> Iterable[Problem]:
    """What is allowed in the configuration and still a bad idea."""
    file = config.root / CONFIG_FILE
    lines = KeyLines(file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else "")
    if not config.site.authority:
        from publisher.posts.published import authority_of

        yield Problem(
            CONFIG_FILE,
            0,
            "site.authority is not set: only .publisher/published.db knows which domain is in the ids of posts",
            f'freeze what they are now: authority = "{authority_of(config)}" under [site]',
            Severity.WARNING,
        )
    if config.newsletters and not config.site.postal_address:
        yield Problem(
            CONFIG_FILE,
            0,
            "site.postal_address is not set; many countries' law wants one in newsletters",
            'postal_address = "..." under [site]',
            Severity.WARNING,
        )
    for keys, name, logo in _logos(config):
        yield Problem(
            CONFIG_FILE,
            lines.of(keys),
            f"{name}: there is no {config.pages.static}/{logo}, so letters show no logo",
            "put the picture there, or write its URL",
            Severity.WARNING,
        )
    yield from _keys(config, lines)
    yield from _times(config, lines)
    yield from _doubts(config, lines)
    if config.newsletters and not config.mail.sender and not all(n.sender for n in config.newsletters):
        yield Problem(
            CONFIG_FILE,
            0,
            "mail.sender is not set: letters have no From address",
            'sender = "Ada <ada@example.org>" under [mail]',
            Severity.WARNING,
        )


def _times(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """What newsletters say of time and of the owner, and cannot be meant."""
    for number, each in enumerate(config.newsletters):
        schedule = parse_schedule(each.schedule)
        for is_so, key, what, hint in (
            (
                each.approve and schedule.kind is ScheduleKind.MANUAL,
                "approve",
                "approve does nothing: this newsletter has no clock, and what a person publishes goes at once",
                "give it a schedule, or take the line out",
            ),
            (
                each.approve and schedule.kind is not ScheduleKind.MANUAL and not config.mail.owner,
                "approve",
                "editions wait for approval, and nobody is told: mail.owner is not set",
                'owner = "you@example.org" under [mail]; /admin and `publisher editions` show what waits',
            ),
            (
                schedule.kind is not ScheduleKind.MANUAL and _is_always_late(config, each),
                "max_lateness",
                f"max_lateness = {each.max_lateness!r} is less than the clock needs: every edition waits for a person",
                f"make it longer; the clock is looked at every {config.run.tick_seconds} s (run.tick_seconds)",
            ),
        ):
            if is_so:
                line = lines.of(("newsletters", number, key))
                yield Problem(CONFIG_FILE, line, f"newsletter {each.name}: {what}", hint, Severity.WARNING)


def _is_always_late(config: Config, newsletter: NewsletterConfig) -> bool:
    return parse_duration(newsletter.max_lateness) < timedelta(seconds=2 * config.run.tick_seconds)


def _keys(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """Each key that should sign mail and cannot: without it nothing is sent."""
    from publisher.publishing.wiring import unreadable_keys

    for number, error in unreadable_keys(config):
        message = f"mail.dkim: {config.mail.dkim[number].key}: {error.message}; without it no letter is sent"
        yield Problem(CONFIG_FILE, lines.of(("mail", "dkim", number, "key")), message, error.hint)


def _doubts(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """What is doubtful about how mail is signed and handed over."""
    from publisher.mail.settings_lint import lint_mail_settings

    for doubt in lint_mail_settings(config):
        severity = Severity.ERROR if doubt.severe else Severity.WARNING
        yield Problem(CONFIG_FILE, lines.of(doubt.keys), doubt.message, doubt.hint, severity)


def _logos(config: Config) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    """Each logo that is a path under static/ and is not there, with its key as a path and in words."""
    themes: list[tuple[tuple[str | int, ...], str, Theme]] = [(("theme", "logo"), "theme.logo", config.theme)]
    for number, each in enumerate(config.newsletters):
        themes.append((("newsletters", number, "theme", "logo"), f"newsletter {each.name}: theme.logo", each.theme))
    for keys, name, theme in themes:
        logo = config.missing_logo(theme)
        if logo:
            yield keys, name, logo


def _orphaned(config: Config) -> list[Problem]:
    """Each newsletter that people read and that the configuration does not name: nobody mails them."""
    from publisher.publishing.wiring import has_store, open_project_store
    from publisher.subscribers.manage import orphaned

    if not has_store(config):
        return []
    with open_project_store(config) as store:
        found = orphaned(store, [each.name for each in config.newsletters])
    return [Problem(CONFIG_FILE, 0, each.message, each.hint, Severity.WARNING) for each in found]


def _proofs(config: Config, archive: Archive, now: datetime, spam: bool) -> list[Proof]:
    from publisher.publishing.wiring import has_store, open_project_store

    if not config.newsletters:
        return []
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        return list(read_proofs(config, store, archive, now, spam=spam))


def _without_repetition(proof: Proof, problems: Iterable[Problem]) -> Proof:
    places = {problem.where for problem in problems}
    told = (
        each.code in _TOLD_TWICE and (each.where in places or each.where.startswith(CONFIG_FILE))
        for each in proof.findings
    )
    return replace(proof, findings=tuple(each for each, twice in zip(proof.findings, told, strict=True) if not twice))
