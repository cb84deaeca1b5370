"""Addresses of routes: a path's segments, some of them variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

Shape = tuple[str | None, ...]
"""A path without its variables' names (`None` stands for each): two routes of one shape are one path."""

_SEGMENT = re.compile(r"\{([A-Za-z_][\w.]*)\}|([^{}/?#%]+)")


@dataclass(frozen=True)
class Variable:
    """A segment that is filled in by whoever asks."""

    name: str


@dataclass(frozen=True)
class Address:
    """A path such as `/jobs/{job_key}/variables`; the API's root has no segments."""

    segments: tuple[str | Variable, ...] = ()

    @classmethod
    def parse(cls, path: str) -> Address:
        """Raises ValueError for a segment that is neither literal text nor one `{variable}`."""
        segments: list[str | Variable] = []
        for text in path.strip("/").split("/") if path.strip("/") else ():
            found = _SEGMENT.fullmatch(text)
            if found is None:
                raise ValueError(f"{text!r} in {path!r} is neither a literal nor one {{variable}}")
            segments.append(Variable(found[1]) if found[1] else found[2])
        return cls(tuple(segments))

    def __truediv__(self, below: Address) -> Address:
        return Address(self.segments + below.segments)

    def named(self, names: Mapping[Shape, str]) -> Address:
        """The same address with its variables renamed by the shape of the path that ends in them."""
        return Address(
            tuple(
                Variable(names.get(self.shape[: depth + 1], segment.name)) if isinstance(segment, Variable) else segment
                for depth, segment in enumerate(self.segments)
            )
        )

    @cached_property
    def shape(self) -> Shape:
        return tuple(None if isinstance(segment, Variable) else segment for segment in self.segments)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        return tuple(segment.name for segment in self.segments if isinstance(segment, Variable))

    @cached_property
    def template(self) -> str:
        """The path as OpenAPI, RFC 6570 and `str.format` write it."""
        return "/" + "/".join(
            f"{{{segment.name}}}" if isinstance(segment, Variable) else segment for segment in self.segments
        )

    def is_below(self, other: Address) -> bool:
        """Whether `other` is a proper prefix of this address."""
        return len(self.shape) > len(other.shape) and self.shape[: len(other.shape)] == other.shape

    def can_be_told_from(self, source: Address) -> bool:
        """Whether who knows the variables of `source` knows all of this address: its variables must be those
        of
        `source` in the same places, whatever their names."""
        return all(
            self.shape[: depth + 1] == source.shape[: depth + 1]
            for depth, segment in enumerate(self.segments)
            if isinstance(segment, Variable)
        )
