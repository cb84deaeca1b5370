"""Tokens that the pool does not know: how often an address group may try."""

from __future__ import annotations

from cachetools import LRUCache

from resolvers.access.principals import Principal, UnknownToken, authenticated, digest_of
from resolvers.runtime import Runtime

MOST_KNOWN = 10_000
WHAT = "tokens from your network that this pool does not know"


class WrongTokens:
    """Counts tries by address group. A group that tried too often may show those tokens only that this process has
    taken before: whoever guesses finds out nothing, and who shares an address with them goes on."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: LRUCache[str, None] = LRUCache(MOST_KNOWN)
        """The digests of tokens that were taken."""

    async def authenticated(self, token: str, group: str) -> Principal:
        """As `principals.authenticated`, for a client of an address group. Raises RateLimited too."""
        rate, rates = self._runtime.limits.wrong_token_rate, self._runtime.rates
        if not (rate and token and self._runtime.wants_tokens):
            return await authenticated(self._runtime, token)
        digest = digest_of(token)
        if digest not in self._known and not rates.has_room(rate, group):
            raise rates.refusal(rate, rates.wait_for_room(rate, group), WHAT)
        try:
            principal = await authenticated(self._runtime, token)
        except UnknownToken:
            rates.wait_s(rate, group)
            raise
        self._known[digest] = None
        return principal
