"""What the commands' arguments are made of."""

from __future__ import annotations

import argparse

import shtab


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    description: str,
    examples: str,
    exit_status: str = "",
) -> argparse.ArgumentParser:
    epilog = "".join(f"  {line}\n" for line in examples.splitlines())
    if exit_status:
        epilog += f"\nexit status: {exit_status}; 2 when the command line is wrong\n"
    return commands.add_parser(
        name,
        help=description,
        description=f"{description[0].upper()}{description[1:]}.",
        epilog=f"examples:\n{epilog}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_json(command: argparse._ActionsContainer, text: str = "everything that is known, as JSON") -> None:
    command.add_argument("--json", action="store_true", help=text)


def takes_files(*arguments: argparse.Action) -> None:
    """Shells complete names of files for them."""
    for argument in arguments:
        argument.complete = shtab.FILE  # type: ignore[attr-defined]


def svg(text: str) -> str:
    if not text.endswith(".svg"):
        raise argparse.ArgumentTypeError(f"'{text}' does not end in .svg")
    return text


def count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of entries")
    return number


def names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"'{text}' has an empty name in it")
    return names
