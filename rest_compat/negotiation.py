"""Content negotiation (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from functools import lru_cache

HAL = (
    "application/hal+json",
    "application/json",
    "application/vnd.hal+json",
    "application/prs.hal-forms+json",
)
"""What every HAL document can be sent as, all of the same bytes except the last, which adds the forms."""

FORMS = HAL[-1]


@lru_cache(maxsize=512)
def choose(accept: str, offers: tuple[str, ...]) -> str | None:
    """The media type to answer with, or None when the client takes none of the offers.

    Between equally wanted types a type that was named goes before a type that only a wildcard lets through, then
    the earlier offer.
    """
    ranges = _parse(accept) or [("*/*", 1.0)]
    best: tuple[float, int] = (0.0, 0)
    chosen = None
    for offer in offers:
        quality, precision = _quality(offer, ranges)
        if quality > 0 and (quality, precision) > best:
            best, chosen = (quality, precision), offer
    return chosen


def _quality(offer: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """How much the offer is wanted, by the most precise range that matches it, and how precise that is."""
    for precision, wanted in ((2, offer), (1, offer.partition("/")[0] + "/*"), (0, "*/*")):
        for media_range, quality in ranges:
            if media_range == wanted:
                return quality, precision
    return 0.0, 0


def _parse(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        if media_range:
            ranges.append((media_range, _weight(parameters)))
    return ranges


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def media_type(content_type: str) -> str:
    """The media type of a `Content-Type`, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a body of this `Content-Type` is JSON. One that says nothing is taken for it."""
    found = media_type(content_type)
    return found in ("", "application/json", "text/json") or (
        found.startswith("application/") and found.endswith("+json")
    )
