from hypothesis import given, settings
from hypothesis import strategies as st

from comp_pool.backoff import LONGEST_HINT_S, SHORTEST_S, Backoff

SECONDS = st.floats(0, 10_000)


@settings(deadline=None)
@given(hints=st.lists(SECONDS, max_size=60), longest=st.floats(0.1, 100))
def test_no_pause_is_longer_than_the_longest_or_shorter_than_the_shortest(hints: list[float], longest: float) -> None:
    backoff = Backoff(longest_s=longest)
    for hint in hints:
        assert SHORTEST_S <= backoff.after_failure() <= max(longest, SHORTEST_S)
        assert SHORTEST_S <= Backoff(longest_s=longest).when_idle(hint) <= max(longest, SHORTEST_S)


@given(hint=SECONDS, failures=st.integers(0, 20), longest=st.floats(0.1, 100))
def test_nobody_comes_back_before_the_time_that_was_asked_for_or_waits_for_days(
    hint: float, failures: int, longest: float
) -> None:
    backoff = Backoff(longest_s=longest)
    for _ in range(failures):
        backoff.after_failure()
    honoured = min(hint, LONGEST_HINT_S)
    assert honoured <= backoff.after_failure(hint) <= honoured + max(longest, SHORTEST_S)


def test_the_room_for_a_pause_doubles_with_each_failure_until_one_call_goes_well() -> None:
    def longest_of_many(failures: int) -> float:
        pauses = []
        for _ in range(200):
            backoff = Backoff(first_s=1, longest_s=1_000)
            for _ in range(failures):
                pause = backoff.after_failure()
            pauses.append(pause)
        return max(pauses)

    assert 0.5 < longest_of_many(1) <= 1
    assert 2 < longest_of_many(3) <= 4
    recovered = Backoff(first_s=1, longest_s=1_000)
    for _ in range(9):
        recovered.after_failure()
    recovered.reset()
    assert recovered.after_failure() <= 1


def test_clients_that_are_turned_away_together_come_back_apart() -> None:
    waits = {Backoff().after_failure(5) for _ in range(20)}
    # Some may wait as short as is allowed.
    assert len(waits - {SHORTEST_S}) >= 10
