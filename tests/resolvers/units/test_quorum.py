from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from resolvers.units.policies import Policy
from resolvers.units.quorum import Agreed, Ballot, GivenUp, Waiting, disagree, find_agreement, find_shortfall

HOSTS = st.sampled_from("abcdefgh")
DIGESTS = st.sampled_from(["", "x", "y", "z"])


@st.composite
def ballots(draw: st.DrawFn) -> list[Ballot]:
    votes = draw(st.lists(st.tuples(HOSTS, DIGESTS), max_size=12))
    return [Ballot(str(number), host, digest) for number, (host, digest) in enumerate(votes)]


policies = st.builds(
    Policy,
    quorum=st.integers(1, 5),
    max_errors=st.integers(1, 5),
    max_total=st.integers(5, 12),
    adaptive=st.booleans(),
)


def _first_votes(cast: list[Ballot]) -> dict[str, str]:
    """What each host's first valid ballot says."""
    votes: dict[str, str] = {}
    for ballot in cast:
        if ballot.digest:
            votes.setdefault(ballot.host, ballot.digest)
    return votes


@given(policies, ballots())
def test_agreement_is_as_many_hosts_as_the_quorum_asks_for(policy: Policy, cast: list[Ballot]) -> None:
    support = Counter(_first_votes(cast).values())
    found = find_agreement(policy, cast)
    most = max(support.values(), default=0)
    assert (found is not None) == (most >= policy.quorum)
    if found:
        by_number = {ballot.number: ballot for ballot in cast}
        agreeing = [by_number[number] for number in found.agreeing]
        assert len({ballot.digest for ballot in agreeing}) == 1
        assert len({ballot.host for ballot in agreeing}) == len(agreeing) == most
        assert by_number[found.canonical].digest == agreeing[0].digest
        assert all(by_number[number].digest != agreeing[0].digest for number in found.dissenting)


@given(policies, ballots(), st.sets(HOSTS))
def test_a_trusted_hosts_word_is_enough_only_where_the_policy_is_adaptive(
    policy: Policy, cast: list[Ballot], trusted: set[str]
) -> None:
    found = find_agreement(policy, cast, trusted)
    votes = _first_votes(cast)
    if policy.adaptive and trusted & votes.keys():
        assert found is not None
        canonical = next(ballot for ballot in cast if ballot.number == found.canonical)
        assert canonical.digest in {votes[host] for host in trusted & votes.keys()}
    else:
        assert found == find_agreement(policy, cast)


@given(policies, ballots())
def test_more_ballots_of_hosts_that_have_voted_change_nothing(policy: Policy, cast: list[Ballot]) -> None:
    again = [Ballot(f"again{ballot.number}", ballot.host, "z") for ballot in cast if ballot.digest]
    before, after = find_agreement(policy, cast), find_agreement(policy, cast + again)
    assert (before and before.canonical) == (after and after.canonical)


@given(policies, ballots(), st.integers(0, 6))
def test_what_is_missing_is_asked_for_once(policy: Policy, cast: list[Ballot], outstanding: int) -> None:
    total = len(cast) + outstanding
    errors = sum(not ballot.digest for ballot in cast)
    shortfall = find_shortfall(policy, cast, outstanding=outstanding, total=total)
    if find_agreement(policy, cast):
        return
    if errors >= policy.max_errors:
        assert isinstance(shortfall, GivenUp)
        assert "max_errors" in shortfall.reason
    elif isinstance(shortfall, GivenUp):
        assert "max_total" in shortfall.reason
        assert total + policy.quorum - outstanding > policy.max_total
    else:
        most = max(Counter(_first_votes(cast).values()).values(), default=0)
        assert shortfall == Waiting(policy.quorum - most, max(0, policy.quorum - most - outstanding))
        assert total + shortfall.replicas <= max(total, policy.max_total)


@given(ballots())
def test_hosts_disagree_when_their_votes_differ(cast: list[Ballot]) -> None:
    assert disagree(cast) == (len(set(_first_votes(cast).values())) > 1)


def test_the_first_result_of_the_winners_is_canonical() -> None:
    cast = [Ballot("0", "a", "x"), Ballot("1", "b", "y"), Ballot("2", "c", ""), Ballot("3", "d", "y")]
    assert find_agreement(Policy(quorum=2), cast) == Agreed(("1", "3"), ("0",))
