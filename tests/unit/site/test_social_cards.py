"""The image for link previews is the post's own image, or a card on which the post's title is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import html

from publisher.posts.social_card import SIZE, CardColours, CardText, draw_card
from tests.support.pages_samples import BASE, CONFIG, POSTS, plan
from tests.support.picture_samples import opened

COLOURS = CardColours("#ffffff", "#1f1d1a", "#a3195b")


def shared(path: str, outputs: dict[str, Any]) -> str:
    page = html.document_fromstring(outputs[path].make().decode())
    return "".join(page.xpath("head/meta[@property='og:image']/@content")).removeprefix(f"{BASE}/")


def page_of(index: int) -> str:
    return next(path for path in plan() if path.startswith(f"{POSTS[index].published:%Y/%m/%d}/"))


def test_new_posts_without_an_image_have_a_card_and_old_posts_share_the_card_of_the_site() -> None:
    outputs = plan(config=replace(CONFIG, pages=replace(CONFIG.pages, cards=4)))
    cards = [shared(page_of(index), outputs) for index in range(5)]
    assert cards[1] == "cover.jpg"
    of_site = shared("index.html", outputs)
    assert cards[4] == of_site == shared("archive/index.html", outputs)
    assert len({cards[0], cards[2], cards[3], of_site}) == 4
    assert {path for path in outputs if path.startswith("assets/cards/")} == {cards[0], *cards[2:]}
    for path in (cards[0], of_site):
        assert opened(outputs[path].make()).size == SIZE


def test_a_site_without_cards_or_with_its_own_image_has_no_cards() -> None:
    own = replace(CONFIG, site=replace(CONFIG.site, image="me.png"), pages=replace(CONFIG.pages, cards=9))
    for config, image in ((CONFIG, ""), (own, "me.png")):
        outputs = plan(config=config)
        assert not [path for path in outputs if "cards" in path]
        assert shared("index.html", outputs) == shared(page_of(0), outputs) == image


@pytest.mark.parametrize(
    ("title", "language"),
    [("", "en"), ("Words", "en"), ("🎉", "en"), ("\U0010fffd\ufe0f", "en"), ("x" * 5000, "en"), ("a b " * 2000, "de"),
     ("静かな読書" * 90, "ja"), ("القراءة ببطء", "ar"), ("a\n\tb\x00", "en")],
)  # fmt: skip
def test_every_title_gives_a_small_image(title: str, language: str) -> None:
    data = draw_card(CardText(title, "The Quiet Reader", language), COLOURS)
    picture = opened(data).convert("RGB")
    assert picture.size == SIZE
    assert len(data) < 80_000
    assert picture.getpixel((5, 5)) == (0xA3, 0x19, 0x5B)
    assert picture.getpixel((5, 300)) == (255, 255, 255)


def test_a_title_is_aligned_with_the_direction_of_its_script() -> None:
    from PIL import ImageChops

    blank = opened(draw_card(CardText("", "", "en"), COLOURS)).convert("RGB")
    for language, side in (("en", 0), ("ar", 1)):
        picture = opened(draw_card(CardText("Word", "", language), COLOURS)).convert("RGB")
        left, _, right, _ = ImageChops.difference(picture, blank).getbbox() or (0, 0, 0, 0)
        assert (left > SIZE[0] / 2, right > SIZE[0] / 2) == (bool(side), bool(side))
