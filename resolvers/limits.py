"""How much the pool's users may do and have, as its operator says. 0: any amount."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from resolvers.rates import Rate

WINDOW_S = 10
"""Requests are counted over so many seconds: some come in bursts."""
MINUTE_S = 60
HOUR_S = 3600


@dataclass(frozen=True)
class Limits:
    """
    Attributes:
        token_requests, host_requests: requests a second, on average.
        wrong_tokens: tokens that the pool does not know, from an address group in a minute.
        new_hosts: hosts that an address group makes in an hour.
        host_leases: tasks that a host holds at once.
        address_subscriptions, subscriptions: that an address group, and all clients of a process, have open at once.
        answer_bytes: of one answer to a query.
        account_bytes: what is stored for an account, in bytes.
        account_variables, account_flows: of an account, that are not finished.
        account_sandbox_seconds: processor time of a process's sandbox that an account's code uses in a minute.
        low_disk_bytes, full_disk_bytes: free space below which no new work is taken, and no results either.
    """

    token_requests: int = 0
    host_requests: int = 0
    wrong_tokens: int = 0
    new_hosts: int = 0
    host_leases: int = 0
    address_subscriptions: int = 0
    subscriptions: int = 0
    answer_bytes: int = 0
    account_bytes: int = 0
    account_variables: int = 0
    account_flows: int = 0
    account_sandbox_seconds: int = 0
    low_disk_bytes: int = 0
    full_disk_bytes: int = 0

    @cached_property
    def token_rate(self) -> Rate | None:
        return requests_of("token", self.token_requests)

    @cached_property
    def host_rate(self) -> Rate | None:
        return requests_of("host", self.host_requests)

    @cached_property
    def wrong_token_rate(self) -> Rate | None:
        return Rate("wrong tokens", self.wrong_tokens, MINUTE_S) if self.wrong_tokens else None

    @cached_property
    def new_host_rate(self) -> Rate | None:
        return Rate("new hosts", self.new_hosts, HOUR_S) if self.new_hosts else None


def requests_of(name: str, a_second: int) -> Rate | None:
    """The rate of a number of requests a second; None for 0."""
    return Rate(name, WINDOW_S * a_second, WINDOW_S) if a_second else None


NO_LIMITS = Limits()
