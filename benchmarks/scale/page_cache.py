"""Files in the page cache, and out of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

PIECE = 1 << 20
TRIES = 20
DROP_ALL = Path("/proc/sys/vm/drop_caches")


def load(files: list[str]) -> None:
    for path in files:
        with Path(path).open("rb") as file:
            while file.read(PIECE):
                pass


def drop(files: list[str], all_caches: bool) -> None:
    """Takes the files' bytes out of the page cache; with `all_caches`, which only root may, everybody's, and what the
    system knows of folders. Raises RuntimeError where bytes are left.
    """
    os.sync()  # what is not written yet would stay
    if all_caches:
        DROP_ALL.write_text("3")
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            for _ in range(TRIES):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                if not is_cached(descriptor):
                    break
                time.sleep(0.1)  # pages that were just read may be in lists of each processor
            else:
                raise RuntimeError(f"{path} is still in the page cache: somebody else uses it")
        finally:
            os.close(descriptor)


def is_cached(descriptor: int) -> bool:
    """Whether the first bytes of a file, where readers begin, are in the page cache."""
    try:
        return os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        return False
