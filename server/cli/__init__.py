"""The command line: one command a module."""

from server.cli.group import main

__all__ = ["main"]
