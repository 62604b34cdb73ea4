"""All columns fetched and decoded in C++ unit by unit, each into the memory of one before; opening the files counts."""

import ceiling_program


def read(files, case, names, threads, clock):
    found = ceiling_program.run("decode", files, case.table, names, threads)
    clock.set(found)
    return found["rows"], found["sums"]
