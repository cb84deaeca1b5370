"""Links of resources (HAL, draft-kelly-json-hal-11): compiled to templates, written with a resource's
keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from rest_compat.addresses import Address

DOCUMENTATION = "/rels"
"""Where relation names with a prefix are explained: `cp:results` at `/rels/cp/results`."""

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]+")


def quoted(value: object) -> str:
    """A value as one segment of a path (RFC 3986)."""
    text = str(value)
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


@dataclass(frozen=True)
class Link:
    """A link to an address whose variables the resource knows; those it doesn't are left to the client (RFC
    6570)."""

    rel: str
    template: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def between(cls, rel: str, source: Address, target: Address) -> Link:
        known = Address(
            target.segments[: next((d for d in range(len(target.segments), 0, -1) if _told(target, source, d)), 0)]
        )
        unknown = set(target.variables[len(known.variables) :])
        template = target.template
        for name in unknown:
            template = template.replace(f"{{{name}}}", f"{{{{{name}}}}}")
        return cls(rel, template, {"templated": True} if unknown else {})


def _told(target: Address, source: Address, depth: int) -> bool:
    return Address(target.segments[:depth]).can_be_told_from(source)


class Links:
    """The links of one kind of resource."""

    def __init__(self, links: Iterable[Link]) -> None:
        self.links = tuple(links)
        self._written = [(link.rel, dict(link.attributes)) for link in self.links]
        # All at once: to fill templates in one by one would be the most expensive part of writing a resource.
        self._templates = "\n".join(link.template for link in self.links)
        self._prefixes = sorted({link.rel.split(":")[0] for link in self.links if ":" in link.rel})

    def write(self, root: str, keys: Mapping[str, str]) -> dict[str, Any]:
        """
        Args:
            root: the API's public address, without a slash at its end.
            keys: the values of the variables of the resource's address, quoted.
        """
        paths = self._templates.format_map(keys).split("\n")
        written: dict[str, Any] = {
            rel: {"href": root + path, **attributes}
            for (rel, attributes), path in zip(self._written, paths, strict=False)
        }
        if self._prefixes:
            written["curies"] = [
                {"name": prefix, "href": f"{root}{DOCUMENTATION}/{prefix}/{{rel}}", "templated": True}
                for prefix in self._prefixes
            ]
        return written
