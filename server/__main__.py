"""`python -m server` is `comp-pool`."""

from server.cli import main

main()
