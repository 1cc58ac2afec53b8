"""Posts for benchmarks: any number, like real ones in size and markup, the same on every machine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.replace("\n", " ").split(" | "))


TAGS = _split(
    """archives | astronomy | bicycles | books | bread | bridges | cameras | cartography | cheese | clocks
| code | coffee | cooking | databases | design | email | feeds | ferries | gardens | glass | history
| keyboards | languages | libraries | maps | markdown | mountains | music | networks | newsletters | paper
| printing | railways | rivers | science | sleep | tea | typography | walking | weather"""
)

AUTHORS = ("Ada Okafor", "Bruno Weiss", "Chiara Lund", "Dan O'Neill", "Emi Tanaka")

_SUBJECTS = _split(
    """The harbour master | A small team | Every reader | The second edition | Our oldest server
| The night train | A careful editor | The whole index | Nobody in the room | The printed map | This format
| The archive | A patient librarian | The test suite"""
)
_VERBS = _split(
    """keeps | counts | repairs | publishes | compares | forgets | carries | measures | rewrites | collects
| questions | delivers | weighs | sorts | describes | returns"""
)
_OBJECTS = _split(
    """a list of names | the first draft | two hundred letters | an old photograph | the slower road
| more than it needs | a table of tides | the same answer twice | what the others left | a long footnote
| one line at a time | the missing page | a box of index cards | every second figure"""
)
_TAILS = _split(
    """before the shops open | without a word | in the order they came | as the weather allows
| because it has to | since the spring of that year | with more care than speed | until somebody asks
| and then begins again | while the kettle boils | for reasons that are written down"""
)
_WORDS = _split(
    """north | paper | signal | window | copper | branch | letter | morning | stone | engine | lantern
| orchard | ribbon | valley"""
)

_FIRST_DAY = datetime(2021, 1, 4, 7, 0, tzinfo=UTC)
_BETWEEN_POSTS = timedelta(hours=4)
_MOST_APART = 10_000  # posts; a larger number is closer together, so that none is dated in the future
_BODY_CHARACTERS = 4_150  # with front matter, a file has about 4.4 KB
_EDIT_MARK = "\nCorrected in edition "


@dataclass(frozen=True, slots=True)
class CorpusPost:
    """One made-up post: its file name, its title and the full text of its file."""

    name: str
    title: str
    text: str


def published_at(number: int, count: int = 0) -> datetime:
    """Return when post `number` of `count` was published."""
    return _FIRST_DAY + number * _BETWEEN_POSTS * min(1.0, _MOST_APART / max(count, 1))


def make_post(number: int, seed: int = 1, count: int = 0) -> CorpusPost:
    """Return post `number`, counted from 0 (the oldest); equal numbers and seeds make equal posts.

    count: how many posts there will be; it only matters for more than 10,000
    """
    chance = random.Random(f"{seed}:{number}")
    published = published_at(number, count)
    title = f"{' '.join(chance.sample(_WORDS, 3)).capitalize()} {number}"
    first, second = chance.sample(TAGS, 2)
    head = (
        f'---\ntitle: "{title}"\ndate: {published:%Y-%m-%dT%H:%M:%SZ}\n'
        f'tags: [{first}, {second}]\nauthor: "{chance.choice(AUTHORS)}"\n---\n\n'
    )
    name = f"{published:%Y-%m-%d}-post-{number:05d}.md"
    return CorpusPost(name, title, head + _body(chance))


def write_posts(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Write posts 0 to count-1 into `folder`, which is created if needed; return their paths, oldest first."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        post = make_post(number, seed, count)
        path = folder / post.name
        path.write_text(post.text, encoding="utf-8")
        paths.append(path)
    return paths


def edit_post(path: Path, edition: int) -> None:
    """Change the end of the post's text, so that a feed that contains it differs; a second edit replaces the first."""
    text = path.read_text(encoding="utf-8").split(_EDIT_MARK)[0]
    path.write_text(f"{text}{_EDIT_MARK}{edition}.\n", encoding="utf-8")


def _body(chance: random.Random) -> str:
    makers = (_paragraph, _paragraph, _paragraph, _list, _code, _heading)
    parts, size = [_paragraph(chance)], 0
    while size < _BODY_CHARACTERS:
        parts.append(chance.choice(makers)(chance))
        size = sum(map(len, parts)) + 2 * len(parts)
    return "\n\n".join(parts) + "\n"


def _sentence(chance: random.Random) -> str:
    start = f"{chance.choice(_SUBJECTS)} {chance.choice(_VERBS)} {chance.choice(_OBJECTS)}"
    return f"{start} {chance.choice(_TAILS)}."


def _paragraph(chance: random.Random) -> str:
    sentences = [_sentence(chance) for _ in range(chance.randint(3, 6))]
    word = chance.choice(_WORDS)
    marked = (
        f"It is **{word}** that matters here.",
        f"See [the notes on {word}](https://example.net/{word}/{chance.randint(1, 99)}).",
        f"The setting `{word}.limit` decides, and *nothing else*.",
        f"More at https://example.net/{word} next week.",
    )
    sentences.insert(chance.randint(1, len(sentences)), chance.choice(marked))
    return " ".join(sentences)


def _list(chance: random.Random) -> str:
    lines = [f"- **{chance.choice(_WORDS)}**: {_sentence(chance)}" for _ in range(chance.randint(3, 5))]
    return "\n".join(lines)


def _code(chance: random.Random) -> str:
    lines = [
        f"    {chance.choice(_WORDS)}_{n} = count({chance.choice(_WORDS)!r}, limit={chance.randint(1, 999)})"
        for n in range(chance.randint(3, 7))
    ]
    return "\n".join(["```python", f"def {chance.choice(_WORDS)}(limit):", *lines, "```"])


def _heading(chance: random.Random) -> str:
    title = f"## {chance.choice(_WORDS).capitalize()} and {chance.choice(_WORDS)}"
    return f"{title}\n\n{_paragraph(chance)}"
