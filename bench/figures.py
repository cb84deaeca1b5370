"""What a benchmark found out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Attributes:
        name: what was measured.
        value: how much, in `unit`.
        ratio: the value over that of the baseline, or None for a baseline itself.
        target: what `ratio` may be at most, or None where nothing was promised.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    target: float | None = None

    @property
    def met(self) -> bool | None:
        return None if self.ratio is None or self.target is None else self.ratio <= self.target
