"""The command line: one command a module."""

from cli.group import main

__all__ = ["main"]
