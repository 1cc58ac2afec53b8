"""sitemap.xml: every page's address for search engines, with no date from the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from publisher.core.models import Output
from publisher.site.pages.entry import Entry
from publisher.site.pages.frame import Frame, href

# A sitemap holds no more addresses (sitemaps.org); a larger site has an index of several.
MOST = 50_000


def plan_sitemap(frame: Frame, entries: Sequence[Entry], paths: Sequence[str], most: int = MOST) -> Iterator[Output]:
    """Plan sitemap.xml for all posts and the pages at `paths`; over `most` addresses, an index of parts."""
    addresses = [f"{frame.site.url}/{href(path)}" for path in paths] + [entry.post.url for entry in entries]
    days = [""] * len(paths) + [entry.updated[:10] for entry in entries]
    if len(addresses) <= most:
        yield _output(frame, "sitemap.xml", "sitemap.xml", addresses, days)
        return
    parts: list[str] = []
    for start in range(0, len(addresses), most):
        part, end = f"sitemap-{len(parts) + 1}.xml", start + most
        parts.append(f"{frame.site.url}/{part}")
        yield _output(frame, part, "sitemap.xml", addresses[start:end], days[start:end])
    yield _output(frame, "sitemap.xml", "sitemap_index.xml", parts, [""] * len(parts))


def _output(frame: Frame, path: str, template: str, addresses: list[str], days: list[str]) -> Output:
    key = frame.key(template, *addresses, *days)
    return Output(path, key, partial(_make, frame, path, template, addresses, days))


def _make(frame: Frame, path: str, template: str, addresses: list[str], days: list[str]) -> bytes:
    return frame.render(template, frame.page(path, ""), rows=zip(addresses, days, strict=True))
