"""Each selection of topics gets the posts with any of its topics. Equal selections share a variant of the edition."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publisher.core.models import Post, Tag
from publisher.core.newsletter_models import Choice
from publisher.newsletters.select import has_tag
from publisher.newsletters.variants import MAX_KEY, Variant, all_topics, topic_set, variant_key, variants_of
from publisher.posts.slugs import tag_slug, topic_slug
from tests.support.editions_samples import post as sample


def post(number: int, *names: str) -> Post:
    """Return a post with these tags, as the archive would create them."""
    from dataclasses import replace

    return replace(sample(number), tags=tuple(Tag(name, tag_slug(name)) for name in names))


BIRDS, CODE, BOTH, BARE = post(1, "Birds"), post(2, "C++", "R&D"), post(3, "birds", "c++"), post(4)
POSTS = (BIRDS, CODE, BOTH, BARE)


def by_topics(variants: tuple[Variant, ...]) -> dict[tuple[str, ...], tuple[tuple[Post, ...], int]]:
    return {variant.topics: (variant.posts, variant.subscribers) for variant in variants}


def test_a_selection_contains_posts_with_any_of_its_topics() -> None:
    variants = variants_of(POSTS, [Choice((), 7), Choice(("birds",), 2), Choice(("birds", "r_and_d"), 1)])
    assert by_topics(variants) == {
        (): (POSTS, 7),
        ("birds",): ((BIRDS, BOTH), 2),
        ("birds", "r_and_d"): ((BIRDS, CODE, BOTH), 1),
    }
    assert [variant.key for variant in variants] == ["", "birds", "birds,r_and_d"]


def test_a_selection_without_posts_is_kept() -> None:
    assert by_topics(variants_of(POSTS, [Choice(("fish",), 3)])) == {(): (POSTS, 0), ("fish",): ((), 3)}


def test_a_selection_of_every_post_means_all_topics() -> None:
    posts = (BIRDS, BOTH)
    choices = [Choice((), 1), Choice(("birds",), 2), Choice(("birds", "fish"), 4)]
    assert variants_of(posts, choices) == (Variant((), posts, tuple(choices)),)


def test_all_topics_is_always_a_variant() -> None:
    assert variants_of(POSTS, [])[0] == all_topics(POSTS) == Variant((), POSTS)
    assert variants_of(POSTS, [Choice(("birds",), 1)])[0].posts == POSTS


@pytest.mark.parametrize(
    "spelling",
    [
        "Éléphants gris",
        "éléphants gris",
        "ÉLÉPHANTS-GRIS",
        unicodedata.normalize("NFD", "Éléphants Gris"),
        " éléphants  gris ",
    ],
)
def test_spellings_of_a_selection_share_a_variant(spelling: str) -> None:
    posts = (post(1, "Éléphants gris"), BIRDS)
    (everything, variant) = variants_of(
        posts, [Choice(("éléphants-gris",), 1), Choice((spelling, spelling.upper()), 2)]
    )
    assert (variant.topics, variant.posts, variant.subscribers) == (("éléphants-gris",), posts[:1], 3)
    assert everything.subscribers == 0
    assert has_tag(posts[0], [spelling])


def test_blank_topics_are_ignored() -> None:
    assert by_topics(variants_of(POSTS, [Choice((" ", ""), 2)])) == {(): (POSTS, 2)}


def test_keys_are_short_and_distinct() -> None:
    long = [topic_set([f"topic-{number:03}" for number in range(count)]) for count in range(20, 60)]
    keys = {variant_key(topics) for topics in long}
    assert len(keys) == len(long)
    assert max(map(len, keys)) == MAX_KEY
    assert all(key.startswith("topic-000,topic-001,") for key in keys)


NAMES = st.one_of(
    st.sampled_from(
        ["Birds", "birds", "BIRDS ", "C++", "C#", "C", "日本語", "R&D", "r and d", "ﬁsh", "fish", "Straße", "STRASSE"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)


@given(NAMES)
def test_a_topic_may_be_a_slug(name: str) -> None:
    assert topic_slug(tag_slug(name)) == tag_slug(name)


@given(
    st.lists(st.lists(NAMES, max_size=4), max_size=8),
    st.lists(st.lists(NAMES, max_size=4), max_size=12),
)
@example([["İ"]], [["i̇"]])
def test_every_subscriber_gets_matching_posts_only(tags: list[list[str]], people: list[list[str]]) -> None:
    """One subscriber per selection; the expected posts are found one by one, without variants."""
    posts = tuple(post(number, *names) for number, names in enumerate(tags, 1))
    choices = [Choice(topics, 1) for topics in {tuple(sorted(set(person))) for person in people}]
    variants = variants_of(posts, choices)
    got = {choice.topics: variant.posts for variant in variants for choice in variant.choices}
    assert len(got) == len(choices) == sum(variant.subscribers for variant in variants)
    for person in people:
        wanted = {topic_slug(topic) for topic in person if topic.strip()}
        due = [p for p in posts if not wanted or wanted & {tag.slug for tag in p.tags}]
        assert list(got[tuple(sorted(set(person)))]) == due
    assert len({variant.key for variant in variants}) == len(variants)
    assert variants[0].posts == posts
