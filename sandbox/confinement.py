"""What a worker process gives up, so that code which breaks out of V8 finds little."""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
# linux/sched.h
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNET = 0x4000_0000


def leave_the_system(parent_pid: int) -> None:
    """Give up files, core dumps, privileges and, where the kernel allows it, the network.

    To be called before there are threads: a user namespace cannot be left to later.

    Args:
        parent_pid: the process whose death ends this one.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # Refused in many containers: the rest has to hold without it.
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC)
        # After the namespace, whose new credentials may clear it.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before it could be watched
        os._exit(0)


def fix_memory(data_bytes: int) -> None:
    """Allow this process so many more bytes than it holds now, and no more files.

    RLIMIT_AS cannot serve: V8 reserves more than a terabyte of addresses.
    """
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        held_kb = next(int(line.split()[1]) for line in status if line.startswith("VmData:"))
        ceiling = held_kb * 1024 + data_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
