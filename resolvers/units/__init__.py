"""Units of work, whatever they are computed for: their kinds, tasks, votes, results and decisions.

A unit (BOINC's workunit) has replicas, which are tasks; `queues` say which jobs may have ready ones, and `assignments`
see to it that no host gets two of a unit. `cases` bring a unit's results together, `quorum` finds what they agree on,
`decisions` end the unit, and `verdicts` and `credit` follow.
"""
