"""How not to keep the event loop from others, for the layers above."""

from resolvers.turns import LIGHT, aside, each_in_turn, give_way

__all__ = ["LIGHT", "aside", "each_in_turn", "give_way"]
