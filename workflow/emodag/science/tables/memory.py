"""What a process does with the memory it frees."""

import ctypes

import pyarrow as pa


def keep_freed_memory() -> None:
    """Have the C library give blocks of up to 32 MiB out again instead of returning them.

    By default it unmaps what a step has freed, and the next step pays a page fault for every four
    kilobytes of its intermediate results. Only glibc has this switch (mallopt(3)). Arrow's own
    allocator returns memory, too, between one group of rows and the next. For the whole process.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        trim_threshold, mmap_threshold = -1, -3
        library.mallopt(mmap_threshold, 32 << 20)
        library.mallopt(trim_threshold, 2**31 - 1)
