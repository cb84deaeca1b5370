"""Who asks, and what they may do: `principals` knows the first, `rules` the second, `accounts` and `tokens` are what
the first is known by."""
