"""Keeping freed memory for the next step, and telling that there was not enough."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h of glibc


def reuse_freed_memory() -> bool:
    """Tell glibc to keep large blocks instead of giving them back; False where there is no glibc.

    Each step frees and allocates its activations. By default glibc takes large blocks from the kernel anew each time,
    which then fills them with zeros page by page: 2 to 5 % of a step's time on a CPU at batch 32. The price is that
    memory, once used, stays with the process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def memory_shortage(fault: Exception) -> str | None:
    """What was needed and what was free, where a fault says that memory ran out; None where it says something else.

    torch need not be imported: a run can run out of memory before.
    """
    kind, text = type(fault).__name__, " ".join(str(fault).split())
    on_gpu = kind == "OutOfMemoryError"
    if not (on_gpu or isinstance(fault, MemoryError) or (kind == "RuntimeError" and "can't allocate memory" in text)):
        return None
    # "CUDA out of memory. Tried to allocate … GPU 0 has a total capacity of … of which … is free. Process …"
    told = ". ".join(text.split(". ")[:3]).rstrip(".") if on_gpu else text or "the process may not use more"
    return f"Out of memory: {told}. A smaller batch_size or max_length needs less."
