"""The codec's limit: the batches' columns read and decompressed into one buffer, and no more."""

import ceiling_program


def run(files, case, batches, threads):
    return ceiling_program.run("decompress", files, case.table, batches.columns, threads)
