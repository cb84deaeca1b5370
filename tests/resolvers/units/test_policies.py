from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import BadInput
from resolvers.units.policies import LIMITS, Policy

changes = st.fixed_dictionaries(
    {}, optional={name: st.integers(least - 2, most + 2) for name, (least, most) in LIMITS.items()}
)


@given(changes)
def test_a_policy_that_is_accepted_can_be_met(changed: dict[str, int]) -> None:
    try:
        policy = Policy().overridden(changed)
    except BadInput:
        return
    assert 1 <= policy.first_replicas <= policy.replicas <= policy.max_total
    assert policy.quorum <= policy.replicas
    assert Policy.of(policy.dump()) == policy


@pytest.mark.parametrize("name", LIMITS)
def test_a_value_out_of_range_is_refused_by_its_name(name: str) -> None:
    least, most = LIMITS[name]
    for value in (least - 1, most + 1):
        with pytest.raises(
            BadInput, match=f"a whole number from {least} to {most:,} was expected, got {value}"
        ) as told:
            Policy().overridden({name: value})
        assert told.value.field == f"policy.{name}"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"quorum": 3, "target_results": 2}, "policy.target_results"),
        ({"quorum": 3, "max_total": 2}, "policy.max_total"),
        ({"target_results": 11}, "policy.max_total"),
    ],
)
def test_values_that_can_not_go_together_are_refused(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as told:
        Policy().overridden(changed)
    assert told.value.field == field


def test_what_is_left_out_stays_as_it_was() -> None:
    policy = Policy().overridden({"quorum": 3}).overridden({"max_errors": 5})
    assert (policy.quorum, policy.max_errors, policy.replicas) == (3, 5, 3)


def test_an_adaptive_job_tries_its_luck_with_one_host_first() -> None:
    policy = Policy().overridden({"quorum": 3, "adaptive": True})
    assert (policy.first_replicas, policy.replicas) == (1, 3)
