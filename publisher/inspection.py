"""Everything `publisher check` tells: heads and bodies of all posts, links into the site, letters, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from publisher.build import code_key
from publisher.build.folder import strangers
from publisher.build.ids import id_problems
from publisher.config import CONFIG_FILE, Config
from publisher.errors import PublisherError
from publisher.feeds.readback import read_back
from publisher.model import Problem, RenderedPost, Severity
from publisher.posts.archive import Archive, read_archive
from publisher.posts.enclosures import unknown_lengths
from publisher.posts.markup import LocalLink
from publisher.press import Press, newsletter_posts


def inspect_project(config: Config, now: datetime, progress: Callable[[int, int], None] | None) -> list[Problem]:
    """Return every problem of a project as it is at `now`, by path and line; render everything, write nothing."""
    from publisher.posts.markup import BrokenPost, Renderer

    archive = read_archive(config, now, code_key(), keep=False)
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
    problems.extend(read_back(config, config.root / config.pages.output, unknown))
    problems.extend(strangers(config.root / config.pages.output, config.pages.output))
    problems.extend(id_problems(config, archive))
    problems.extend(_settings(config))
    problems.extend(_letters(config, archive, now))
    return sorted(set(problems), key=lambda p: (p.path, p.line, p.message))


def dead_links(
    config: Config, archive: Archive, posts: Sequence[RenderedPost], local: Mapping[str, Sequence[LocalLink]]
) -> list[Problem]:
    """Return the links of posts that were written without a domain and at which the build writes nothing.

    A link with the site's own domain is believed: something else may be served there.
    """
    from publisher.build.files import static_files
    from publisher.build.plan import plan_site
    from publisher.templating import Templates

    def never(post: object) -> RenderedPost:
        raise AssertionError("planning renders nothing")

    # No post links to a page of a feed's archive; where that is cut, only rendering tells.
    config = replace(config, feeds=replace(config.feeds, archives=False))
    templates = Templates(config.root / "templates")
    static = static_files(config.root / config.pages.static)
    planned = {output.path for output in plan_site(config, archive, never, templates, static, (), "")}
    planned.update(site_path for post in posts for site_path, _ in post.assets)
    found = []
    for post in posts:
        for link in local.get(post.post.source, ()):
            path = _site_path(config, link.address)
            if path is not None and not _is_there(path, planned):
                found.append(_dead(f"{config.posts.folder}/{post.post.source}", link))
    return found


def _site_path(config: Config, address: str) -> str | None:
    """The path of an address of this site, relative to its root; None for the rest of the world."""
    if not address.startswith(f"{config.site_url}/"):
        return None
    return unquote(urlsplit(address).path)[len(urlsplit(config.site_url).path) :].lstrip("/")


def _is_there(path: str, planned: set[str]) -> bool:
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
    if config.newsletters and not config.mail.sender and not all(n.sender for n in config.newsletters):
        yield Problem(
            CONFIG_FILE,
            0,
            "mail.sender is not set: letters have no From address",
            'sender = "Ada <ada@example.org>" under [mail]',
            Severity.WARNING,
        )


def _letters(config: Config, archive: Archive, now: datetime) -> Iterable[Problem]:
    """Compose what each newsletter would begin with: a broken template or note shows before it is due."""
    press = Press(config, archive)
    for newsletter in config.newsletters:
        planned = newsletter_posts(config, newsletter, archive, now)
        if not planned.posts:
            continue
        try:
            press.letter(planned, now)
        except PublisherError as error:
            path, _, line = error.where.rpartition(":")
            number = int(line) if path and line.isdigit() else 0
            yield Problem(
                path if number else error.where or CONFIG_FILE,
                number,
                f"newsletter {newsletter.name}: {error.message}",
                error.mend,
            )
