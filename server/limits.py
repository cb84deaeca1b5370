"""What an operator can set of how much the pool's users may do and have."""

from __future__ import annotations

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from resolvers.limits import Limits

ADDRESS_REQUESTS = 500
ADDRESS_TURNS = 2
ADDRESS_CONNECTIONS = 500
ADDRESS_SUBSCRIPTIONS = 500
NEW_HOSTS = 500
"""Room for a class of 500, whose browsers share an address and all open the volunteers' page."""
WRONG_TOKENS = 60


def _of_strangers(number: int) -> str:
    return f"if it is missing: {number} on a pool that other machines reach, else any number."


class LimitSettings(BaseSettings):
    """The limits, each of which 0 switches off."""

    model_config = SettingsConfigDict(env_prefix="COMP_POOL_", frozen=True, extra="forbid")

    address_requests: int | None = Field(
        default=None,
        ge=0,
        description="Requests a second, over 10 seconds, from an address group (the /24 of IPv4, the /48 of IPv6); "
        + _of_strangers(ADDRESS_REQUESTS),
    )
    address_turns: int | None = Field(
        default=None,
        ge=0,
        description="Requests of an address group that are worked on at once while others ask; more of it wait; "
        + _of_strangers(ADDRESS_TURNS),
    )
    token_requests: int = Field(default=200, ge=0, description="Calls a second, over 10 seconds, with one token.")
    wrong_tokens: int | None = Field(
        default=None,
        ge=0,
        description="Tokens that the pool does not know, from an address group in a minute; after that those only "
        f"are looked at that it knows already; {_of_strangers(WRONG_TOKENS)}",
    )
    host_requests: int = Field(
        default=100, ge=0, description="Claims and reports a second, over 10 seconds, of one volunteer's host."
    )
    new_hosts: int | None = Field(
        default=None, ge=0, description=f"Hosts that an address group makes in an hour; {_of_strangers(NEW_HOSTS)}"
    )
    host_leases: int = Field(default=1_000, ge=0, description="Tasks that a host holds at once.")
    address_connections: int | None = Field(
        default=None,
        ge=0,
        description="Connections that an address, which is no trusted proxy's, has open at once; "
        + _of_strangers(ADDRESS_CONNECTIONS),
    )
    address_subscriptions: int | None = Field(
        default=None,
        ge=0,
        description=f"Subscriptions that an address group has open at once; {_of_strangers(ADDRESS_SUBSCRIPTIONS)}",
    )
    subscriptions: int = Field(
        default=5_000, ge=0, description="Subscriptions that all clients of a server process have open at once."
    )
    answer_bytes: int = Field(default=32_000_000, ge=0, description="Bytes of the answer to one query.")
    account_bytes: int = Field(
        default=1_000_000_000,
        ge=0,
        description="Bytes that are stored for an account: sources, variables, flows and results.",
    )
    account_variables: int = Field(
        default=1_000_000, ge=0, description="Variables, and jobs of flows, of an account that are not finished."
    )
    account_flows: int = Field(default=1_000, ge=0, description="Flows of an account that have not ended.")
    account_sandbox_seconds: int = Field(
        default=60,
        ge=0,
        description="Processor time, in seconds, that an account's code may use of each server process's sandbox in a "
        "minute; after that its results are validated later, and what its owner waits for is refused.",
    )
    watched_directory: str | None = Field(
        default=None,
        description="Directory whose free space is watched; if it is missing: that of the embedded engine, and of a "
        "MongoDB none.",
    )
    low_disk_bytes: int = Field(
        default=200_000_000,
        ge=0,
        description="Free space below which no new work is taken or handed out, and `/readyz` answers 503.",
    )
    full_disk_bytes: int = Field(
        default=50_000_000, ge=0, description="Free space below which results are not taken either."
    )

    @model_validator(mode="after")
    def _are_in_order(self) -> LimitSettings:
        if self.full_disk_bytes > self.low_disk_bytes:
            raise ValueError("--full-disk-bytes must be at most --low-disk-bytes: work is refused before results are")
        return self

    @property
    def is_reached_by_others(self) -> bool:
        """Whether requests come from other machines, directly or through a proxy on this one."""
        raise NotImplementedError

    def _of_strangers(self, given: int | None, default: int) -> int:
        if given is not None:
            return given
        return default if self.is_reached_by_others else 0

    @property
    def address_requests_in_force(self) -> int:
        return self._of_strangers(self.address_requests, ADDRESS_REQUESTS)

    @property
    def address_turns_in_force(self) -> int:
        return self._of_strangers(self.address_turns, ADDRESS_TURNS)

    @property
    def address_connections_in_force(self) -> int:
        return self._of_strangers(self.address_connections, ADDRESS_CONNECTIONS)

    @property
    def limits(self) -> Limits:
        """What resolvers go by."""
        same = {name: getattr(self, name) for name in Limits.__dataclass_fields__}
        return Limits(
            **same
            | {
                "wrong_tokens": self._of_strangers(self.wrong_tokens, WRONG_TOKENS),
                "new_hosts": self._of_strangers(self.new_hosts, NEW_HOSTS),
                "address_subscriptions": self._of_strangers(self.address_subscriptions, ADDRESS_SUBSCRIPTIONS),
            }
        )
