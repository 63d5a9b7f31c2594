"""Keeping freed memory for the next step."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h of glibc


def reuse_freed_memory() -> bool:
    """Tell glibc to keep large blocks instead of giving them back; False where there is no glibc.

    Each step frees and allocates gradients as large as the model. By default glibc takes blocks of more than 32 MiB
    from the kernel anew each time, which then fills them with zeros page by page: a third of a step's time on a
    CPU. The price is that memory, once used, stays with the process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
