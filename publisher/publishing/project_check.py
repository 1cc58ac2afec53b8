"""Find the problems that `publisher check` reports about posts, links within the site, settings and emails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from publisher.config import CONFIG_FILE, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.origins import KeyLines
from publisher.config.placeholders import authority_placeholder, is_reserved, placeholders, sends_for_real
from publisher.config.private_paths import unreadable_passwords
from publisher.config.schedule import parse_duration
from publisher.config.theme import Theme
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.mail.settings_lint import lint_mail_settings
from publisher.newsletters.letter.note import stray_notes
from publisher.posts.archive import Archive, ArchiveReader
from publisher.posts.front_matter.enclosures import is_played
from publisher.posts.published import PublishedIds, authority_of
from publisher.publishing.adopt.adopted_blog import TOOL_NAMES
from publisher.publishing.adopt.tool_files import tools_of
from publisher.publishing.email_views import changed_emails
from publisher.publishing.exposure import exposures
from publisher.publishing.farewell import farewell_problems
from publisher.publishing.idle_reasons import rendering_problem
from publisher.publishing.language_check import language_problems
from publisher.publishing.letter_check import LetterCheck, broken_notes, check_letters
from publisher.publishing.mail_wiring import unreadable_keys
from publisher.publishing.own_emails import paths_of_emails
from publisher.publishing.post_check import post_problems
from publisher.publishing.segment_check import segment_problems
from publisher.publishing.sent_files import sent_again
from publisher.publishing.sequences import sequence_problems
from publisher.publishing.unused import (
    distant_posts,
    lost_entries,
    unknown_tags,
    unmatched_patterns,
    unused_templates,
)
from publisher.publishing.wiring import open_existing_store
from publisher.site.build.copied_files import static_files
from publisher.site.build.folder import stray_feeds
from publisher.site.build.ids import id_problems
from publisher.site.build.site_files import built_paths
from publisher.site.feeds.validator import feed_problems
from publisher.site.pages.signup import sign_up_form
from publisher.subscribers.manage import orphaned

# Names that only mean something on a machine or in a private network (RFC 6761, RFC 6762, RFC 8375).
_PRIVATE_NAMES = (".localhost", ".local", ".test", ".invalid", ".internal", ".home.arpa", ".lan")
# Codes of findings that the checks of posts and settings also report, for the same file and line.
_REPORTED_TWICE = (
    "alt-missing", "link-broken", "postal-missing", "sender-missing", "setting-placeholder", "text-hidden",
    "unsubscribe-unanswered",
)  # fmt: skip

# A first edition with a post that is older is reported.
OLD_NEWS = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class ProjectCheck:
    """The problems of a project, ordered by path and line, and the check of each newsletter's next letter.

    notes  things that the owner should know, but may intend
    """

    problems: tuple[Problem, ...]
    letters: tuple[LetterCheck, ...] = ()
    notes: tuple[str, ...] = ()


def check_project(
    config: Config, now: datetime, progress: Callable[[int, int], None] | None, *, spam: bool = False
) -> ProjectCheck:
    """Check the whole project as it is at `now`. This renders everything and writes nothing.

    progress  called with the number of posts done and their total
    spam      whether to ask SpamAssassin about the letters too, which takes a few seconds for each
    """
    archive = ArchiveReader(config, keep=False, reread=True).archive(now)
    site_paths = cache(partial(built_paths, config, archive))
    problems = post_problems(config, archive, now, progress, site_paths, _lines(config).of(("pages", "menu")))
    unknown = {enclosure.url for post in archive.posts for enclosure in post.enclosures if not enclosure.length}
    output = config.root / config.pages.output
    problems.extend(feed_problems(config, output, unknown))
    problems.extend(static_files(config).problems)
    problems.extend(stray_feeds(output, config.pages.output))
    problems.extend(_changed_ids(config, archive))
    problems.extend(_settings(config))
    problems.extend(language_problems(config, archive, _lines(config)))
    problems.extend(_podcast(config, archive))
    problems.extend(exposures(config))
    problems.extend(_written_in_vain(config, archive, now))
    problems.extend(_orphaned(config))
    problems.extend(_sources(config, now))
    problems.extend(sequence_problems(config, now))
    problems.extend(_segments(config))
    problems.extend(farewell_problems(config))
    letters = _letters(config, archive, now, spam, site_paths)
    broken = [rendering_problem(config, each.planned.newsletter.name, each.error) for each in letters if each.error]
    places = {problem.where for problem in broken}
    with open_existing_store(config) as store:
        in_notes = [rendering_problem(config, *each) for each in broken_notes(config, store)]
    broken += [problem for problem in in_notes if problem.where not in places]
    templates = {problem.where for problem in broken if problem.path.startswith("templates/")}
    said = {(each.where, each.message.partition(": ")[2]) for each in broken}  # without the newsletter's name
    rest = [each for each in problems if each.where not in templates and (each.where, each.message) not in said]
    problems = [*broken, *rest]
    problems.extend(_old_first_editions(config, letters, now))
    return ProjectCheck(
        tuple(sorted(set(problems), key=_order)),
        tuple(_without_repetition(letter, problems) for letter in letters if letter.letter),
        tuple(_notes(config)),
    )


def _order(problem: Problem) -> tuple[object, ...]:
    """Return the key by which the problems are sorted, so that their order is always the same."""
    rest = (problem.message, problem.hint, problem.severity, problem.shows_last_version)
    return (problem.path, problem.line, *rest)


def _notes(config: Config) -> Iterator[str]:
    if config.pages.enabled and config.newsletters and sign_up_form(config) is None:
        yield (
            f"{CONFIG_FILE}: web.public_url is not set, so no page of the site has a sign-up form "
            "(set it to where `publisher run` answers, even if that is site.url)"
        )
    tools = tools_of(config.root) if not config.posts.tool and (config.root / config.posts.folder).is_dir() else []
    if tools:
        tool, file = tools[0]
        yield (
            f"{file}: {TOOL_NAMES[tool]} makes a site here; to read the posts by its rules, with its tags and data, "
            f'write tool = "{tool}" under [posts] (`publisher adopt --dry-run` shows all that it would set)'
        )


def _settings(config: Config) -> Iterable[Problem]:
    """Report settings that are valid but unwise."""
    lines = _lines(config)
    if not config.site.authority:
        yield Problem(
            CONFIG_FILE,
            0,
            "site.authority is not set: the ids of posts depend on .publisher/published.db",
            f'to keep them as they are, set authority = "{authority_of(config)}" under [site]',
            Severity.WARNING,
        )
    if config.newsletters and not config.site.postal_address:
        yield Problem(
            CONFIG_FILE,
            0,
            "site.postal_address is not set; many countries require one in newsletters by law",
            'postal_address = "..." under [site]',
            Severity.WARNING,
        )
    for keys, name, logo in _logos(config):
        yield Problem(
            CONFIG_FILE,
            lines.of(keys),
            f"{name}: there is no {config.pages.static}/{logo}, so no logo is shown",
            "put the picture there, or give its URL",
            Severity.WARNING,
        )
    yield from _placeholders(config, lines)
    yield from _keys(config, lines)
    yield from _encryption(config, lines)
    yield from _times(config, lines)
    yield from _mail_settings(config, lines)
    if config.newsletters and not config.mail.sender and not all(n.sender for n in config.newsletters):
        yield Problem(
            CONFIG_FILE,
            0,
            "mail.sender is not set: emails have no From address",
            'sender = "Ada <ada@example.org>" under [mail]',
            Severity.WARNING,
        )


def _podcast(config: Config, archive: Archive) -> Iterable[Problem]:
    """Report a feed that podcast directories would refuse, because it has no picture that they accept."""
    image = urlsplit(config.site.image).path.lower()
    has_episodes = any(post.in_feeds and any(map(is_played, post.enclosures)) for post in archive.posts)
    if has_episodes and "rss" in config.feeds.formats and not image.endswith((".jpg", ".jpeg", ".png")):
        yield Problem(
            CONFIG_FILE,
            0,
            "site.image is not a JPEG or PNG: Apple's podcast directory accepts no feed without such a picture",
            'image = "..." under [site]: a square one of 1400 to 3000 pixels, in the static folder',
            Severity.WARNING,
        )


def _lines(config: Config) -> KeyLines:
    file = config.root / CONFIG_FILE
    return KeyLines(file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else "")


def _placeholders(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """Report settings that still have the value of an example: an error if emails are really sent with it."""
    for each in placeholders(config):
        severity = Severity.ERROR if each.harms and sends_for_real(config) else Severity.WARNING
        yield Problem(CONFIG_FILE, lines.of(each.keys), each.message, each.hint, severity)
    known = PublishedIds(config).origin()
    authority = authority_placeholder(config.site) if known is None or is_reserved(known.host) else None
    if authority:
        yield Problem(CONFIG_FILE, lines.of(authority.keys), authority.message, authority.hint, Severity.WARNING)


def _encryption(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """Report pages for subscribers that are served without encryption."""
    if config.newsletters and is_public_http(config.public_url):
        yield Problem(
            CONFIG_FILE,
            lines.of(("web", "public_url") if config.web.public_url else ("site", "url")),
            f"{config.public_url} is not encrypted: others can read passwords and the personal links in emails",
            "use https://; a web server with TLS in front can also send Strict-Transport-Security (docs/deployment.md)",
            Severity.WARNING,
        )


def is_public_http(url: str) -> bool:
    """Return whether a URL is http:// with a name or an IP address that others can reach."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http":
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_PRIVATE_NAMES)


def _times(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """Report settings about time and approval that cannot be intended."""
    for number, each in enumerate(config.newsletters):
        schedule = parse_schedule(each.schedule)
        for is_so, key, what, hint in (
            (
                each.approve and schedule.kind is ScheduleKind.MANUAL,
                "approve",
                "approve has no effect on a manual newsletter, because what you publish is sent immediately",
                "give it a schedule, or remove the line",
            ),
            (
                each.approve and schedule.kind is not ScheduleKind.MANUAL and not config.mail.owner,
                "approve",
                "editions will wait for approval, but no one will be notified: mail.owner is not set",
                'owner = "you@example.org" under [mail]; /admin and `publisher editions` also show what is waiting',
            ),
            (
                schedule.kind is not ScheduleKind.MANUAL and _is_always_late(config, each),
                "max_lateness",
                f"max_lateness = {each.max_lateness!r} is shorter than the scheduler's interval, "
                "so every edition will be put on hold",
                f"make it longer; the scheduler checks every {config.run.tick_seconds} s (run.tick_seconds)",
            ),
        ):
            if is_so:
                line = lines.of(("newsletters", number, key))
                yield Problem(CONFIG_FILE, line, f"newsletter {each.name}: {what}", hint, Severity.WARNING)


def _is_always_late(config: Config, newsletter: NewsletterConfig) -> bool:
    return parse_duration(newsletter.max_lateness) < timedelta(seconds=2 * config.run.tick_seconds)


def _keys(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """Report DKIM keys that cannot be used, without which no email is sent, and passwords that cannot be read."""
    for number, error in unreadable_keys(config):
        message = f"mail.dkim: {config.mail.dkim[number].key}: {error.message}; without it no email is sent"
        yield Problem(CONFIG_FILE, lines.of(("mail", "dkim", number, "key")), message, error.hint)
    for keys, without in unreadable_passwords(config):
        source = f"source {config.sources[int(keys[1])].name}: " if keys[0] == "sources" else ""
        yield Problem(CONFIG_FILE, lines.of(keys), f"{source}{without.message}", without.hint)


def _mail_settings(config: Config, lines: KeyLines) -> Iterable[Problem]:
    """Report unwise settings for signing and sending."""
    for doubt in lint_mail_settings(config):
        severity = Severity.ERROR if doubt.severe else Severity.WARNING
        yield Problem(CONFIG_FILE, lines.of(doubt.keys), doubt.message, doubt.hint, severity)


def _logos(config: Config) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    """Yield the key, the key in words and the path of each logo whose file is missing from the static folder."""
    themes: list[tuple[tuple[str | int, ...], str, Theme]] = [(("theme", "logo"), "theme.logo", config.theme)]
    for number, each in enumerate(config.newsletters):
        themes.append((("newsletters", number, "theme", "logo"), f"newsletter {each.name}: theme.logo", each.theme))
    for keys, name, theme in themes:
        logo = config.missing_logo(theme)
        if logo:
            yield keys, name, logo


def _changed_ids(config: Config, archive: Archive) -> Iterable[Problem]:
    """Report posts with new ids: an error if a newsletter would send them again, or else a warning."""
    changed = list(id_problems(config, archive))
    yield from (problem for problem in changed if problem.severity is Severity.ERROR)
    if any(problem.severity is Severity.ERROR for problem in changed):
        return  # settings changed all of them
    with open_existing_store(config) as store:
        again = [each.problem(config) for each in sent_again(config, store, archive)]
    yield from again
    yield from (problem for problem in changed if problem.path not in {each.path for each in again})


def _orphaned(config: Config) -> list[Problem]:
    """Report newsletters that have subscribers but are missing from the configuration, so that nothing is sent."""
    with open_existing_store(config) as store:
        found = orphaned(store, [each.name for each in config.newsletters]) if store else []
    return [Problem(CONFIG_FILE, 0, each.message, each.hint, Severity.WARNING) for each in found]


def _segments(config: Config) -> list[Problem]:
    with open_existing_store(config) as store:
        return list(segment_problems(config, store))


def _sources(config: Config, now: datetime) -> list[Problem]:
    if not config.sources:
        return []
    from publisher.publishing.source_check import source_problems  # not at the top: it loads the HTTP client

    with open_existing_store(config) as store:
        return list(source_problems(config, store, now, _lines(config)))


def _old_first_editions(config: Config, letters: Iterable[LetterCheck], now: datetime) -> Iterator[Problem]:
    """Report first editions that would contain very old posts, unless the newsletter's `since` asks for them."""
    for planned in (letter.planned for letter in letters):
        if not planned.posts:
            continue
        oldest = planned.posts[-1]
        if planned.number > 1 or planned.is_sample or planned.newsletter.since or oldest.published > now - OLD_NEWS:
            continue
        number = config.newsletters.index(planned.newsletter)
        message = f"newsletter {planned.newsletter.name}: its first edition would include a post from "
        message += f"{oldest.published.astimezone(config.zone):%Y-%m-%d}, {oldest.title!r}"
        hint = 'set since = "YYYY-MM-DD" under [[newsletters]] to the day of the oldest post that may be sent'
        yield Problem(CONFIG_FILE, _lines(config).of(("newsletters", number, "first")), message, hint, Severity.WARNING)


def _written_in_vain(config: Config, archive: Archive, now: datetime) -> Iterator[Problem]:
    with open_existing_store(config) as store:
        taken = {each.name: store.editions.slots(each.name) for each in config.newsletters} if store else {}
        yield from changed_emails(config, store)
    emails = {path for each in config.newsletters for path in paths_of_emails(config, each)}
    yield from stray_notes(config, now, taken, emails)
    yield from unused_templates(config)
    yield from unknown_tags(config, archive, _lines(config))
    yield from distant_posts(config, archive, now)
    yield from lost_entries(config, archive)
    yield from unmatched_patterns(config, _lines(config))


def _letters(
    config: Config, archive: Archive, now: datetime, spam: bool, site_paths: Callable[[], frozenset[str]]
) -> list[LetterCheck]:
    if not config.newsletters:
        return []
    with open_existing_store(config) as store:
        return list(check_letters(config, store, archive, now, spam=spam, site_paths=site_paths))


def _without_repetition(check: LetterCheck, problems: Iterable[Problem]) -> LetterCheck:
    problems = list(problems)
    places = {problem.where for problem in problems}
    errors = {problem.where for problem in problems if problem.severity is Severity.ERROR}
    findings = (
        each
        for each in check.findings
        if not (each.code == "foreign-code" and each.where in errors)
        if each.code not in _REPORTED_TWICE or not (each.where in places or each.where.startswith(CONFIG_FILE))
    )
    return replace(check, findings=tuple(findings))
