"""Resources: a type's values with the links that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from rest_compat.addresses import Address
from rest_compat.errors import BadRequest
from rest_compat.exchange import Exchange
from rest_compat.links import Links, quoted
from rest_compat.serialiser import TypeWriter, Writing


@dataclass(frozen=True)
class Resource:
    """A type whose values are served: with an address of their own, or only where some route shows them.

    `keys` are the variables of the address and how a value gives them; `link_attributes` what links to a
    value say of it; `constants` properties that are the same for every value.
    """

    type_name: str
    address: Address | None
    writer: TypeWriter
    links: Links
    keys: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    link_attributes: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    constants: Mapping[str, Any] | None = None

    def only(self, names: list[str]) -> Resource:
        """The same resource with no more than these properties. Raises LookupError for one it hasn't got."""
        return replace(self, writer=self.writer.only(names))

    def href(self, root: str, value: Any) -> str:
        assert self.address
        return root + self.address.template.format_map(self._keys_of(value))

    def link(self, root: str, value: Any) -> dict[str, Any]:
        """The link to `value`. An attribute that is null is left out."""
        link = {"href": self.href(root, value)}
        link.update((name, shown) for name, get in self.link_attributes if (shown := get(value)) is not None)
        return link

    def write(self, value: Any, exchange: Exchange, writing: Writing) -> dict[str, Any]:
        """The JSON of `value`. One without an address of its own has the URL that was asked for as its
        `self`."""
        if self.address is None:
            links = {"self": {"href": exchange.url}, **self.links.write(exchange.root, exchange.keys)}
        else:
            links = self.links.write(exchange.root, self._keys_of(value))
        return self.writer.write_into({"_links": links, **(self.constants or {})}, value, writing)

    def _keys_of(self, value: Any) -> dict[str, str]:
        return {name: quoted(get(value)) for name, get in self.keys}


PAGE = 100
"""The most members that one page of a collection shows."""

_CURSOR_ARGUMENTS = ("after", "before", "first", "last")


@dataclass(frozen=True)
class Collection:
    """A list or connection of resources, as an array of links named `members`; `embedded`: with the members
    themselves.

    `paged` is a connection, whose field takes the arguments of the GraphQL Cursor Connections specification;
    `backwards` a field that also takes `last` and `before`.
    """

    resource: Resource
    members: str
    embedded: bool
    paged: bool
    backwards: bool
    links: Links

    def page(self, query: dict[str, list[str]]) -> dict[str, list[str]]:
        """The query string to resolve the field with: `first` and `last` are at most a page.

        Raises BadRequest for a text that isn't a positive number.
        """
        if not self.paged:
            return query
        sizes: dict[str, list[str]] = {}
        for name in ("first", "last"):
            if name in query:
                sizes[name] = [str(min(_size(name, query[name][-1]), PAGE))]
        return {**query, **(sizes or {"first": [str(PAGE)]})}

    def write(self, found: Any, exchange: Exchange, writing: Writing) -> dict[str, Any]:
        nodes = [edge.node for edge in found.edges] if self.paged else list(found)
        links: dict[str, Any] = {
            "self": {"href": exchange.url},
            **self.links.write(exchange.root, exchange.keys),
        }
        if self.resource.address:
            links[self.members] = [self.resource.link(exchange.root, node) for node in nodes]
        if self.paged:
            links |= self._turns(found.page_info, exchange)
        document: dict[str, Any] = {"_links": links}
        if self.embedded:
            document["_embedded"] = {self.members: [self.resource.write(node, exchange, writing) for node in nodes]}
        return document

    def _turns(self, page_info: Any, exchange: Exchange) -> dict[str, Any]:
        kept = {name: texts for name, texts in exchange.query.items() if name not in _CURSOR_ARGUMENTS}
        size = (exchange.query.get("first") or exchange.query.get("last") or [str(PAGE)])[-1]
        path = exchange.url.partition("?")[0]
        turns = {}
        if page_info.has_next_page:
            onward = {**kept, "first": size, "after": page_info.end_cursor}
            turns["next"] = {"href": f"{path}?{urlencode(onward, doseq=True)}"}
        if page_info.has_previous_page and self.backwards:
            back = {**kept, "last": size, "before": page_info.start_cursor}
            turns["prev"] = {"href": f"{path}?{urlencode(back, doseq=True)}"}
        return turns


def _size(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and text.strip("0")):
        raise BadRequest(f"{name}: {text!r} is not a positive number", field=name)
    return int(text) if len(text) <= len(str(PAGE)) else PAGE
