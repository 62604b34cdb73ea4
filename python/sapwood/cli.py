"""The command ``sapwood``: look at ROOT files, train, bundle, predict and serve from the shell."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from . import (
    __version__,
    _cli_bundle,
    _cli_check,
    _cli_diff,
    _cli_head,
    _cli_info,
    _cli_inspect,
    _cli_predict,
    _cli_serve,
    _cli_train,
    _core,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXAMPLES = """\
examples:
  sapwood inspect events.root                      objects, trees and their columns
  sapwood inspect events.root --tree Events --json the same of one tree, for programs
  sapwood head events.root                         the first five entries of all columns
  sapwood head events.root -n 20 --columns run,event,Muon_pt
  sapwood check data/*.root                        whether everything in files can be read
  sapwood diff a.root b.root                       which columns and entries of two files differ
  sapwood train config.yaml                        a classifier: report, metrics and bundle
  sapwood predict bundle.tar events.root -o s.root scores for every entry, as a friend tree
  sapwood bundle inspect tagger.tar                a trained model with its features
  sapwood bundle verify tagger.tar                 whether it still gives the answers that it gave
  sapwood serve --bundle bundle.tar                answers over HTTP
  sapwood info                                     versions, codecs, threads

exit status: 0; 1 when a file can't be read, check finds damage, or diff a difference; 2 when the command line is
wrong; 130 after Ctrl-C
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["serve"]:  # has options of its own
        return _reported(lambda: _cli_serve.run(given[1:]))
    parsed = _parser().parse_args(given)
    return _reported(lambda: parsed.run(parsed))


def _reported(run: Callable[[], int]) -> int:
    """What `run` returns; errors as one line and an exit status."""
    try:
        status = run()
        sys.stdout.flush()
    except _core.Error as error:
        sys.stdout.flush()
        print(f"sapwood: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read us has seen enough. Python flushes once more at its end, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sapwood",
        description="From ROOT files (TTree, RNTuple) into machine learning, and from the model into production.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sapwood {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    inspect = _command(
        commands,
        "inspect",
        "what a file holds: objects, trees, columns with types and sizes",
        "sapwood inspect events.root\nsapwood inspect events.root --tree dir/Events --all",
    )
    inspect.add_argument("file", metavar="FILE")
    inspect.add_argument("--tree", metavar="NAME", help='only this TTree or RNTuple, such as "dir/Events" or "tree;3"')
    inspect.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    inspect.add_argument("--all", action="store_true", help="all columns, members of records and objects, uncut")
    inspect.set_defaults(run=_cli_inspect.run)

    head = _command(
        commands,
        "head",
        "the first entries of a tree",
        "sapwood head events.root\nsapwood head events.root -n 20 --columns run,event,Muon_pt",
    )
    head.add_argument("file", metavar="FILE")
    head.add_argument("--tree", metavar="NAME", help="the TTree or RNTuple, where the file holds several")
    head.add_argument("-n", type=_count, default=5, metavar="N", help="how many entries (5)")
    head.add_argument("--columns", type=_names, metavar="A,B", help="only these columns, in this order")
    head.set_defaults(run=_cli_head.run)

    check = _command(
        commands,
        "check",
        "whether files can be read: every column of every tree, with the checksums that are stored",
        "sapwood check events.root\nsapwood check data/*.root --json",
    )
    check.add_argument("files", metavar="FILE", nargs="+")
    check.add_argument("--json", action="store_true", help="everything that was found, as JSON")
    check.set_defaults(run=_cli_check.run)

    diff = _command(
        commands,
        "diff",
        "whether two files hold the same: columns by name, value by value, bit for bit, of any two formats",
        "sapwood diff events.root copy.root\n"
        "sapwood diff ttree.root rntuple.root --tree Events --other-tree ntuple --columns run,event",
    )
    diff.add_argument("first", metavar="FIRST")
    diff.add_argument("second", metavar="SECOND")
    diff.add_argument("--tree", metavar="NAME", help="the TTree or RNTuple, where the files hold several")
    diff.add_argument("--other-tree", metavar="NAME", help="that of the second file, if it is called otherwise")
    diff.add_argument("--columns", type=_names, metavar="A,B", help="only these columns")
    diff.add_argument("--json", action="store_true", help="everything that was found, as JSON")
    diff.set_defaults(run=_cli_diff.run)

    _add_training_commands(commands)
    _add_bundle_commands(commands)
    _command(commands, "serve", "predictions over HTTP; sapwood serve --help tells all", "sapwood serve --bundle b.tar")

    info = _command(commands, "info", "version, codecs, what is built in, libraries found", "sapwood info")
    info.set_defaults(run=_cli_info.run)
    return parser


def _add_training_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = _command(
        commands,
        "train",
        "the training of a classifier as a YAML file describes it",
        "sapwood train config.yaml\n"
        "sapwood train config.yaml --output run2 --epochs 50\n"
        "sapwood train config.yaml --output run2 --epochs 50 --resume",
    )
    train.add_argument("config", metavar="CONFIG")
    train.add_argument("--output", metavar="FOLDER", help="instead of the one in the configuration")
    train.add_argument("--epochs", type=_count, metavar="N", help="instead of those in the configuration")
    checkpoints = train.add_argument_group(
        "checkpoints",
        "The output folder keeps model, optimizer, random state and place in the data:\n"
        "after each epoch, and every ten minutes within one, unless told otherwise.\n"
        "A training may be killed at any moment, also while it writes them.",
    )
    checkpoints.add_argument(
        "--resume",
        action="store_true",
        help="go on with the batch after the last checkpoint in the output folder, to the weights that an "
        "uninterrupted training gives (bit for bit on CPUs); without it the training begins anew and forgets them",
    )
    checkpoints.add_argument(
        "--checkpoint-minutes", type=float, metavar="M", help="minutes between checkpoints within an epoch (10)"
    )
    checkpoints.add_argument(
        "--checkpoint-batches", type=int, metavar="N", help="also after every N batches of an epoch"
    )
    train.set_defaults(run=_cli_train.run)

    predict = _command(
        commands,
        "predict",
        "the scores of a bundle for every entry of files, in order",
        "sapwood predict bundle.tar events.root -o scores.root\n"
        "sapwood predict bundle.tar 'data/*.root' -o scores.parquet --copy run,event",
    )
    predict.add_argument("bundle", metavar="BUNDLE")
    predict.add_argument("files", metavar="FILE", nargs="+")
    predict.add_argument("-o", "--output", metavar="FILE", required=True, help="ends in .root or .parquet")
    predict.add_argument("--tree", metavar="NAME", help="the TTree or RNTuple, where the files hold several")
    predict.add_argument("--output-tree", metavar="NAME", default="scores", help="name of the tree written (scores)")
    predict.add_argument("--copy", type=_names, default=[], metavar="A,B", help="columns to write along")
    predict.set_defaults(run=_cli_predict.run)

    workflow = _command(
        commands,
        "workflow",
        "the workflow of MLaaS4HEP: files, labels and a model in, a trained bundle out",
        "sapwood workflow --files files.txt --labels labels.txt --model model.py --params params.json --fout model",
    )
    workflow.add_argument(
        "--files", required=True, metavar="FILES", help="a ROOT file, a list, or a file with one a line"
    )
    workflow.add_argument("--labels", required=True, metavar="LABELS", help="one integer a file, or a branch's name")
    workflow.add_argument("--model", required=True, metavar="MODEL.py", help="defines model(idim)")
    workflow.add_argument(
        "--params",
        metavar="PARAMS.json",
        help="chunk_size, batch_size, epochs, branch, ... (params.json, if there is one)",
    )
    workflow.add_argument("--preproc", metavar="PREPROC.json", help="new branches and cuts")
    workflow.add_argument("--specs", metavar="SPECS.json", help="of an earlier run: no pass over the data for them")
    workflow.add_argument("--dtype", default="root", help="root")
    workflow.add_argument("--fout", default="model", metavar="FOLDER", help="where the results go (model)")
    workflow.set_defaults(run=_cli_train.run_workflow)


def _add_bundle_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bundle = _command(
        commands,
        "bundle",
        "a trained model with its features: what is in it, whether it is whole",
        "sapwood bundle inspect tagger.tar\nsapwood bundle verify tagger.tar",
    )
    actions = bundle.add_subparsers(title="commands", metavar="COMMAND", required=True)
    inspect = _command(
        actions,
        "inspect",
        "columns, features, model, labels and members",
        "sapwood bundle inspect tagger.tar\nsapwood bundle inspect tagger.tar --card",
    )
    inspect.add_argument("file", metavar="FILE")
    form = inspect.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    form.add_argument("--card", action="store_true", help="the model card, Markdown")
    inspect.set_defaults(run=_cli_bundle.inspect)
    verify = _command(
        actions,
        "verify",
        "whether hashes are right and the model gives the answers of its golden sample",
        "sapwood bundle verify tagger.tar",
    )
    verify.add_argument("file", metavar="FILE")
    verify.set_defaults(run=_cli_bundle.verify)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, description: str, examples: str
) -> argparse.ArgumentParser:
    lines = "".join(f"  {line}\n" for line in examples.splitlines())
    return commands.add_parser(
        name,
        help=description,
        description=f"{description[0].upper()}{description[1:]}.",
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of entries")
    return number


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"'{text}' has an empty name in it")
    return names
