"""The command ``sapwood``: look at ROOT files, train, bundle, predict and serve from the shell."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import (
    __version__,
    _cli_bundle,
    _cli_check,
    _cli_completion,
    _cli_diff,
    _cli_head,
    _cli_info,
    _cli_inspect,
    _cli_predict,
    _cli_serve,
    _cli_train,
    _core,
)
from ._cli_options import add_command, add_json, count, names, svg, takes_files

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
  sapwood completion bash                          commands, options and files at the Tab key

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
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
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


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Ours as one line; those of other packages as Python has it."""
    if Path(filename).is_relative_to(Path(__file__).parent):
        print(f"sapwood: {message}", file=sys.stderr)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sapwood",
        description="From ROOT files (TTree, RNTuple) into machine learning, and from the model into production.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sapwood {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    inspect = add_command(
        commands,
        "inspect",
        "what a file holds: objects, trees, columns with types and sizes",
        "sapwood inspect events.root\n"
        "sapwood inspect events.root --tree dir/Events --all\n"
        "sapwood inspect events.root --plot storage.svg",
        exit_status="0; 1 when the file or one of its trees can't be opened",
    )
    takes_files(inspect.add_argument("file", metavar="FILE"))
    inspect.add_argument("--tree", metavar="NAME", help='only this TTree or RNTuple, such as "dir/Events" or "tree;3"')
    add_json(inspect)
    inspect.add_argument("--all", action="store_true", help="all columns, members of records and objects, uncut")
    takes_files(
        inspect.add_argument(
            "--plot",
            type=svg,
            metavar="OUT.svg",
            help="draw bytes on disk as a treemap too: a rectangle for each column, coloured by its compression",
        )
    )
    inspect.set_defaults(run=_cli_inspect.run)

    head = add_command(
        commands,
        "head",
        "the first entries of a tree",
        "sapwood head events.root\nsapwood head events.root -n 20 --columns run,event,Muon_pt",
    )
    takes_files(head.add_argument("file", metavar="FILE"))
    head.add_argument("--tree", metavar="NAME", help="the TTree or RNTuple, where the file holds several")
    head.add_argument("-n", type=count, default=5, metavar="N", help="how many entries (5)")
    head.add_argument("--columns", type=names, metavar="A,B", help="only these columns, in this order")
    add_json(head, "the entries as JSON, uncut; numbers that are not finite are null")
    head.set_defaults(run=_cli_head.run)

    check = add_command(
        commands,
        "check",
        "whether files can be read: every column of every tree, with the checksums that are stored",
        "sapwood check events.root\nsapwood check data/*.root --json",
        exit_status="0 when everything can be read, 1 when anything is damaged or can't be opened",
    )
    takes_files(check.add_argument("files", metavar="FILE", nargs="+"))
    add_json(check)
    check.set_defaults(run=_cli_check.run)

    diff = add_command(
        commands,
        "diff",
        "whether two files hold the same: columns by name, value by value, bit for bit, of any two formats",
        "sapwood diff events.root copy.root\n"
        "sapwood diff ttree.root rntuple.root --tree Events --other-tree ntuple --columns run,event",
        exit_status="0 when both hold the same, 1 when anything differs or can't be read",
    )
    takes_files(diff.add_argument("first", metavar="FIRST"), diff.add_argument("second", metavar="SECOND"))
    diff.add_argument("--tree", metavar="NAME", help="the TTree or RNTuple, where the files hold several")
    diff.add_argument("--other-tree", metavar="NAME", help="that of the second file, if it is called otherwise")
    diff.add_argument("--columns", type=names, metavar="A,B", help="only these columns")
    add_json(diff)
    diff.set_defaults(run=_cli_diff.run)

    _add_training_commands(commands)
    _add_bundle_commands(commands)
    add_command(
        commands, "serve", "predictions over HTTP; sapwood serve --help tells all", "sapwood serve --bundle b.tar"
    )

    info = add_command(commands, "info", "version, codecs, what is built in, libraries found", "sapwood info")
    add_json(info)
    info.set_defaults(run=_cli_info.run)

    completion = add_command(
        commands,
        "completion",
        "a script by which a shell completes commands, options and file names",
        'eval "$(sapwood completion bash)"              in ~/.bashrc\n'
        'eval "$(sapwood completion zsh)"               in ~/.zshrc, after compinit\n'
        "sapwood completion fish | source               in ~/.config/fish/config.fish",
    )
    completion.add_argument(
        "shell", metavar="SHELL", choices=_cli_completion.SHELLS, help=", ".join(_cli_completion.SHELLS)
    )
    completion.set_defaults(run=lambda options: _cli_completion.run(options, parser))
    return parser


def _add_training_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = add_command(
        commands,
        "train",
        "the training of a classifier as a YAML file describes it",
        "sapwood train config.yaml\n"
        "sapwood train config.yaml --output run2 --epochs 50\n"
        "sapwood train config.yaml --output run2 --epochs 50 --resume",
    )
    takes_files(train.add_argument("config", metavar="CONFIG"))
    takes_files(train.add_argument("--output", metavar="FOLDER", help="instead of the one in the configuration"))
    train.add_argument("--epochs", type=count, metavar="N", help="instead of those in the configuration")
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

    predict = add_command(
        commands,
        "predict",
        "the scores of a bundle for every entry of files, in order",
        "sapwood predict bundle.tar events.root -o scores.root\n"
        "sapwood predict bundle.tar 'data/*.root' -o scores.parquet --copy run,event",
    )
    takes_files(
        predict.add_argument("bundle", metavar="BUNDLE"),
        predict.add_argument("files", metavar="FILE", nargs="+"),
        predict.add_argument("-o", "--output", metavar="FILE", required=True, help="ends in .root or .parquet"),
    )
    predict.add_argument("--tree", metavar="NAME", help="the TTree or RNTuple, where the files hold several")
    predict.add_argument("--output-tree", metavar="NAME", default="scores", help="name of the tree written (scores)")
    predict.add_argument("--copy", type=names, default=[], metavar="A,B", help="columns to write along")
    predict.set_defaults(run=_cli_predict.run)

    workflow = add_command(
        commands,
        "workflow",
        "the workflow of MLaaS4HEP: files, labels and a model in, a trained bundle out",
        "sapwood workflow --files files.txt --labels labels.txt --model model.py --params params.json --fout model",
    )
    takes_files(
        workflow.add_argument(
            "--files", required=True, metavar="FILES", help="a ROOT file, a list, or a file with one a line"
        ),
        workflow.add_argument(
            "--labels", required=True, metavar="LABELS", help="one integer a file, or a branch's name"
        ),
        workflow.add_argument("--model", required=True, metavar="MODEL.py", help="defines model(idim)"),
        workflow.add_argument(
            "--params",
            metavar="PARAMS.json",
            help="chunk_size, batch_size, epochs, branch, ... (params.json, if there is one)",
        ),
        workflow.add_argument("--preproc", metavar="PREPROC.json", help="new branches and cuts"),
        workflow.add_argument(
            "--specs", metavar="SPECS.json", help="of an earlier run: no pass over the data for them"
        ),
        workflow.add_argument("--fout", default="model", metavar="FOLDER", help="where the results go (model)"),
    )
    workflow.add_argument("--dtype", default="root", help="root")
    workflow.set_defaults(run=_cli_train.run_workflow)


def _add_bundle_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bundle = add_command(
        commands,
        "bundle",
        "a trained model with its features: what is in it, whether it is whole",
        "sapwood bundle inspect tagger.tar\nsapwood bundle verify tagger.tar",
    )
    actions = bundle.add_subparsers(title="commands", metavar="COMMAND", required=True)
    inspect = add_command(
        actions,
        "inspect",
        "columns, features, model, labels and members",
        "sapwood bundle inspect tagger.tar\nsapwood bundle inspect tagger.tar --card",
    )
    takes_files(inspect.add_argument("file", metavar="FILE"))
    form = inspect.add_mutually_exclusive_group()
    add_json(form)
    form.add_argument("--card", action="store_true", help="the model card, Markdown")
    inspect.set_defaults(run=_cli_bundle.inspect)
    verify = add_command(
        actions,
        "verify",
        "whether hashes are right and the model gives the answers of its golden sample",
        "sapwood bundle verify tagger.tar",
        exit_status="0 when it is whole, 1 when it is not",
    )
    takes_files(verify.add_argument("file", metavar="FILE"))
    add_json(verify)
    verify.set_defaults(run=_cli_bundle.verify)
