"""Frames of other sites, such as players, for readers that show no frames: the page that people open instead."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from publisher.core import patterns

_YOUTUBE = r"(?:www\.|m\.)?youtube(?:-nocookie)?\.com"
# What the URL of an embedded page looks like, and the page of which it shows a part.
_PAGES = [
    (
        patterns.compile(rf"//{_YOUTUBE}/embed/videoseries\?(?:[^#]*&)?list=([\w-]+)"),
        r"https://www.youtube.com/playlist?list=\1",
    ),
    (patterns.compile(rf"//{_YOUTUBE}/embed/([\w-]+)"), r"https://www.youtube.com/watch?v=\1"),
    (patterns.compile(r"//player\.vimeo\.com/video/(\d+)\?(?:[^#]*&)?h=(\w+)"), r"https://vimeo.com/\1/\2"),
    (patterns.compile(r"//player\.vimeo\.com/video/(\d+)"), r"https://vimeo.com/\1"),
    (patterns.compile(r"//(?:www\.)?dailymotion\.com/embed/video/(\w+)"), r"https://www.dailymotion.com/video/\1"),
    (patterns.compile(r"//open\.spotify\.com/embed(?:-podcast)?/(\w+/\w+)"), r"https://open.spotify.com/\1"),
    (patterns.compile(r"//embed\.ted\.com/talks/([\w/-]+)"), r"https://www.ted.com/talks/\1"),
    (patterns.compile(r"//(?:www\.)?loom\.com/embed/(\w+)"), r"https://www.loom.com/share/\1"),
    (patterns.compile(r"//codepen\.io/([\w-]+)/embed/(?:preview/)?(\w+)"), r"https://codepen.io/\1/pen/\2"),
    (
        patterns.compile(r"//player\.bilibili\.com/player\.html\?(?:[^#]*&)?bvid=(\w+)"),
        r"https://www.bilibili.com/video/\1",
    ),
    (patterns.compile(r"//([\w.-]+)/videos/embed/([\w-]+)"), r"https://\1/w/\2"),  # PeerTube
]
_FIRST_SECOND = patterns.compile(r"[?&](?:start|t)=(\d+)")


def page_of_frame(source: str) -> str:
    """Return the page that shows the content of the frame with this URL to people; the URL itself if none is known."""
    source = source.replace("&amp;", "&")
    if "//w.soundcloud.com/player" in source:
        track = parse_qs(urlsplit(source).query).get("url", [""])[0]
        return track if track.startswith("https://soundcloud.com/") else source
    for pattern, page in _PAGES:
        if found := pattern.search(source):
            url = found.expand(page)
            second = _FIRST_SECOND.search(source)
            return f"{url}&t={second[1]}s" if second and "watch?v=" in url else url
    return source
