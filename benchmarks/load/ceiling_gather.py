"""What a shuffling loader of flat rows has to do at least: decompress, then gather rows in random order, once."""

import ceiling_program


def run(files, case, batches, threads):
    return ceiling_program.run("gather", files, case.table, batches.columns, threads, batches.buffer_rows)
