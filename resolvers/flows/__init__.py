"""Flows: trees of jobs.

`structure` checks what was submitted, and `submission` stores it. `engine` moves it on: `levels` begin and end, their
jobs have `runs`, `conditions` decide, `merging` makes one object of their results. `ending` is how a flow ends before
its time, `recovery` carries on what a process left half-way, `control` is what its owner may do to it. `progress`,
`waiting`, `critical_path` and `reading` are what dashboards see, and `watching` reports what changes. `kind` makes runs
known as units of work.
"""
