"""How often something may be done, at whatever times it comes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from resolvers.rates import MOST_KEYS, Rate, Rates

RATE = Rate("test", 5, 10)
PAUSES = st.lists(st.floats(0, 25), min_size=1, max_size=60)


class Played:
    """A clock, and what came when."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.rates = Rates(lambda: self.now)
        self.taken: list[float] = []

    def ask(self, who: str = "a") -> int:
        wait_s = self.rates.wait_s(RATE, who)
        if not wait_s:
            self.taken.append(self.now)
        return wait_s


@given(PAUSES)
def test_no_window_takes_more_than_twice_the_rate_and_aligned_ones_the_rate(pauses: list[float]) -> None:
    played = Played()
    for pause in pauses:
        played.now += pause
        played.ask()
    for start in played.taken:
        assert sum(start <= when < start + 10 for when in played.taken) < 2 * RATE.amount
        aligned = start // 10 * 10
        assert sum(aligned <= when < aligned + 10 for when in played.taken) <= RATE.amount


@given(PAUSES)
def test_whoever_waits_as_long_as_told_is_taken(pauses: list[float]) -> None:
    played = Played()
    for pause in pauses:
        played.now += pause
        if wait_s := played.ask():
            assert 1 <= wait_s <= 20
            played.now += wait_s
            assert played.ask() == 0


@given(st.lists(st.floats(2.1, 30), min_size=1, max_size=100))
def test_whoever_keeps_the_rate_never_waits(pauses: list[float]) -> None:
    played = Played()
    for pause in pauses:
        played.now += pause
        assert played.ask() == 0
    assert all(later - earlier >= 2 for earlier, later in pairwise(played.taken))


def test_each_is_counted_by_itself_and_the_silent_are_forgotten_first() -> None:
    played = Played()
    assert [played.ask("a") > 0 for _ in range(6)] == [False] * 5 + [True]
    assert played.ask("b") == 0
    assert not played.rates.has_room(RATE, "a")
    assert played.rates.has_room(RATE, "b")
    assert played.rates.wait_s(Rate("other", 5, 10), "a") == 0
    for number in range(MOST_KEYS):
        played.ask(str(number))
    assert played.ask("a") == 0
