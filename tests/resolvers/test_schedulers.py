import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.schedulers import BUILT_IN, Candidate, Request, load_schedulers

candidates = st.lists(
    st.builds(
        Candidate,
        job=st.uuids().map(str),
        owner=st.sampled_from(["", "ann", "bob"]),
        run_ms=st.floats(0, 1e6),
        since=st.integers(0, 10**12),
    ),
    max_size=12,
    unique_by=lambda candidate: candidate.job,
)


def _request(*owners: str) -> Request:
    return Request(frozenset(owners), random.Random(1))


@pytest.mark.parametrize("name", ["random", "shortest", "oldest"])
@given(some=candidates)
def test_every_job_is_offered_once(name: str, some: list[Candidate]) -> None:
    assert Counter(BUILT_IN[name](some, _request())) == Counter(some)


@given(candidates)
def test_the_shortest_job_goes_first_and_unknown_ones_before(some: list[Candidate]) -> None:
    times = [candidate.run_ms for candidate in BUILT_IN["shortest"](some, _request())]
    assert times == sorted(times)


@given(candidates)
def test_the_job_that_waits_longest_goes_first(some: list[Candidate]) -> None:
    times = [candidate.since for candidate in BUILT_IN["oldest"](some, _request())]
    assert times == sorted(times)


@given(candidates)
def test_owners_offers_the_jobs_of_the_owners_that_a_host_supports_and_no_others(some: list[Candidate]) -> None:
    offered = BUILT_IN["owners"](some, _request("ann"))
    assert Counter(offered) == Counter(candidate for candidate in some if candidate.owner == "ann")
    assert not BUILT_IN["owners"](some, _request())


def test_random_gives_each_job_its_turn() -> None:
    some = [Candidate(name, "", 0, 0) for name in "abcd"]
    request = _request()
    first = Counter(BUILT_IN["random"](some, request)[0].job for _ in range(400))
    assert all(60 < first[name] < 140 for name in "abcd")


def test_the_built_in_schedulers_are_always_there() -> None:
    assert load_schedulers().keys() >= {"random", "shortest", "owners", "oldest"}
