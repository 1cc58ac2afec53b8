"""Posts in their order, read from the index when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from publisher.core.models import Post


class PostList(Sequence[Post]):
    """Posts that are loaded when they are looked at."""

    def __init__(self, sources: list[str], load: Callable[[Iterable[str]], list[Post]]) -> None:
        self._sources, self._load = sources, load

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Post: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Post]: ...
    def __getitem__(self, index: int | slice) -> Post | Sequence[Post]:
        if isinstance(index, slice):
            return self._load(self._sources[index])
        return self._load([self._sources[index]])[0]

    def __iter__(self) -> Iterator[Post]:
        return iter(self._load(self._sources))
