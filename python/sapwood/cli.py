"""The command ``sapwood``: a look at ROOT files from the shell."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from . import __version__, _cli_head, _cli_info, _cli_inspect, _core

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLES = """\
examples:
  sapwood inspect events.root                      objects, trees and their columns
  sapwood inspect events.root --tree Events --json the same of one tree, for programs
  sapwood head events.root                         the first five entries of all columns
  sapwood head events.root -n 20 --columns run,event,Muon_pt
  sapwood info                                     versions, codecs, threads

exit status: 0; 1 when a file can't be read; 2 when the command line is wrong; 130 after Ctrl-C
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
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
        description="Looks into ROOT files: TTree and RNTuple, read natively.",
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

    info = _command(commands, "info", "version, codecs, what is built in, libraries found", "sapwood info")
    info.set_defaults(run=_cli_info.run)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, description: str, examples: str
) -> argparse.ArgumentParser:
    lines = "".join(f"  {line}\n" for line in examples.splitlines())
    return commands.add_parser(
        name,
        help=description,
        description=f"Shows {description}.",
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
