"""Which operations a path has: a tree of segments, literal ones before variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rest_compat.addresses import Variable
from rest_compat.operations import Alternate, Operation, ReadOperation


@dataclass
class Target:
    """What is at one address: an operation for each method, or one representation of what is at another
    address."""

    operations: dict[str, Operation] = field(default_factory=dict)
    alternate: Alternate | None = None

    @property
    def allow(self) -> str:
        """The value of the header `Allow`."""
        methods = ["GET", "HEAD"] if "GET" in self.operations else []
        return ", ".join([*methods, *sorted(self.operations.keys() - {"GET"}), "OPTIONS"])


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    target: Target | None = None
    suffixes: dict[str, Target] = field(default_factory=dict)


class Router:
    """Finds what is at a path, in a time that doesn't depend on how many paths there are."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            node = self._root
            for segment in operation.address.segments:
                if isinstance(segment, Variable):
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.literals.setdefault(segment, _Node())
            node.target = node.target or Target()
            node.target.operations[operation.method] = operation
            if isinstance(operation, ReadOperation):
                for alternate in operation.alternates:
                    node.suffixes[alternate.suffix] = Target({"GET": operation}, alternate)

    def find(self, segments: list[str]) -> tuple[Target, list[str]] | None:
        """What is at the path, and the values of its variables; None when nothing is."""
        return _find(self._root, segments, 0, [])


def _find(node: _Node, segments: list[str], depth: int, values: list[str]) -> tuple[Target, list[str]] | None:
    if depth == len(segments):
        return (node.target, values) if node.target else None
    segment = segments[depth]
    if (literal := node.literals.get(segment)) and (found := _find(literal, segments, depth + 1, values)):
        return found
    if node.variable is None or not segment:
        return None
    if depth + 1 == len(segments):
        for suffix, target in node.variable.suffixes.items():
            if segment.endswith(suffix) and len(segment) > len(suffix):
                return target, [*values, segment.removesuffix(suffix)]
    return _find(node.variable, segments, depth + 1, [*values, segment])
