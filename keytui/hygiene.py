"""Keep secrets out of core dumps and out of reach of other processes."""

import ctypes
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def harden_process() -> None:
    """Turn core dumps off and make this process's memory unreadable for the user's others.

    Children inherit the first; the second ends at exec, so each child calls this too.
    Does what the system allows and is silent about the rest.
    """
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
