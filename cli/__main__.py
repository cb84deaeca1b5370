"""`python -m cli` is `comp-pool`."""

from cli import main

main()
