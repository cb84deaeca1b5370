"""What one request may use of the sandbox, in all its calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.outcomes import FailureKind, Threw

MOST_OUTPUT_BYTES = 16 << 20


@dataclass(slots=True)
class Allowance:
    """Counts down as a request's calls use it up.

    Attributes:
        seconds: processor time that is left.
        output_bytes: what calls may still return, as JSON.
        limit_s: the seconds that there were.
    """

    seconds: float
    output_bytes: int = MOST_OUTPUT_BYTES
    limit_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.limit_s = self.seconds

    @property
    def refusal(self) -> Threw | None:
        """What comes of a call when nothing is left; None while something is."""
        if self.seconds <= 0:
            return Threw(f"not called: its request used up {self.limit_s:g} s of the sandbox", FailureKind.USED_UP)
        if self.output_bytes <= 0:
            limit = MOST_OUTPUT_BYTES >> 20
            return Threw(
                f"not called: earlier calls of its request returned more than {limit} MiB", FailureKind.USED_UP
            )
        return None
