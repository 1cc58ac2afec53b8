"""Check that the pages of a site can be made, by making one of each kind. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.models import Output, Problem, problem_at
from publisher.core.newsletter_models import Edition, EditionPost
from publisher.core.templates import Templates
from publisher.posts.archive import Archive
from publisher.posts.markup import BrokenPost, Renderer
from publisher.publishing.wiring import web_copies
from publisher.site.build.site_files import plan_site
from publisher.site.web_versions import WebVersion

_TRIES = 5  # outputs of one kind to try, if the earlier ones are of posts that cannot be rendered


def page_problems(config: Config, archive: Archive, renderer: Renderer, now: datetime) -> Iterator[Problem]:
    """Yield why a build, now or after the first edition, would fail: a broken template or an unreadable file."""
    try:
        editions = web_copies(config, now).load() or _samples(config, archive, now)
        outputs = list(plan_site(config, archive, renderer.render, Templates(config.root / "templates"), (), editions))
    except BrokenPost:
        return  # it is reported with the posts, and comes first
    except PublisherError as error:
        yield problem_at(error)
        return
    kinds: dict[object, list[Output]] = {}
    for output in outputs:
        kinds.setdefault(getattr(output.make, "func", type(output.make)), []).append(output)
    for examples in kinds.values():
        if failure := _failure(examples):
            yield problem_at(failure)


def _failure(examples: Sequence[Output]) -> PublisherError | None:
    """Return why outputs of one kind cannot be made; None if they can, or if only their posts are broken."""
    for output in examples[:_TRIES]:
        try:
            output.make()
        except BrokenPost:
            continue
        except PublisherError as error:
            return error
        return None
    return None


def _samples(config: Config, archive: Archive, now: datetime) -> Sequence[WebVersion]:
    """Return a sample edition that was never sent, so that the pages of editions are checked before the first one."""
    posts = tuple(EditionPost(post.id, post.title, post.url) for post in archive.posts[:1])
    html = "<html><head><title>Sample</title></head><body></body></html>"
    return [
        WebVersion(Edition(0, each.name, "sample", 1, "Sample", now, posts), html) for each in config.newsletters[:1]
    ]
