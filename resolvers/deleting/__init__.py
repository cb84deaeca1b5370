"""Deleting jobs, variables, flows, hosts and accounts, one file each.

By one storage operation something is gone: nobody sees, claims or reports it any more. What hangs on it is removed by
the sweeper, in steps of a few hundred documents that go on wherever a process ended; what is gone is removed last.
That begins once all that was under way when it went has ended or is taken for dead, so that nothing is stored after it.
"""
