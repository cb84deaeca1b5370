"""Flows: trees of jobs.

`structure` checks what was submitted, `submission` stores it, `engine` moves it on, `control` is what its owner may
do to it, `progress` and `reading` are what dashboards see, `watching` tells them what changes.
"""
