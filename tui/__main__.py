"""`bertmt-tui`: reads the command line and the user's choices, then shows the dashboard."""

import argparse
import os
import sys
from collections.abc import Sequence

from rich.console import Console

from bertmt import paths
from bertmt.drawing.plain import words_are_wanted
from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError, UsageError
from bertmt.services.upkeep.ownership import new_notices
from bertmt.version import __version__
from tui.all_bindings import all_bindings, all_ids, clashes
from tui.app import Dashboard
from tui.bindings import read_keymap
from tui.settings import Settings, read_settings
from tui.terminal.ground import read_replies
from tui.widgets.home_line import HomeLine

EXIT_FINE, EXIT_USAGE, EXIT_READER_GONE = 0, 2, 141
# After so long a lane that reads 10,000 runs lets the screens' thread go on: Python's own 5 ms are felt at each key.
SWITCH_SECONDS = 0.001


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="bertmt-tui",
        description="The dashboard of bertmt. Quitting it stops no run and no worker.",
        allow_abbrev=False,
    )
    found.add_argument("--db", metavar="PATH", help="the registry; by default BERTMT_DB, else runs.db here or above")
    found.add_argument(
        "--theme", metavar="NAME", help="auto (as the terminal is), dark, light, ansi-dark, ansi-light …"
    )
    found.add_argument("--screen", choices=HomeLine.MODES, default=HomeLine.MODES[0], help="the first screen")
    found.add_argument("--ascii", action="store_true", help="use ASCII characters only")
    found.add_argument(
        "--plain", action="store_true", help="words in place of signs, frames and pictures, for screen readers"
    )
    found.add_argument("--read-only", action="store_true", help="change nothing")
    found.add_argument("--keys", action="store_true", help="list every key with the id by which keys.toml changes it")
    found.add_argument("--version", action="version", version=f"bertmt {__version__}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the dashboard until it is left; its exit code."""
    options = parser().parse_args(arguments)
    if options.keys:
        return _write_keys()
    try:
        app = dashboard(options)
    except BertmtError as problem:
        sys.stderr.write(f"bertmt-tui: {safe_text(str(problem))}\n")
        return EXIT_USAGE
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.__stderr__ or sys.stderr)):
        sys.stderr.write("bertmt-tui: the dashboard needs a terminal; `bertmt runs --json` is for programs.\n")
        return EXIT_USAGE
    for notice in new_notices(app.registry):
        sys.stderr.write(f"Warning: {safe_text(notice)}\n")  # read once the dashboard is left
    read_replies()
    app.run()
    if app.farewell:
        sys.stdout.write(f"{app.farewell}\n")
    return app.return_code or EXIT_FINE


def dashboard(options: argparse.Namespace) -> Dashboard:
    """The app that a command line means.

    Raises:
        UsageError: the theme is unknown.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    if os.environ.get("NO_COLOR") == "":  # no-color.org: set and not empty; Textual only looks whether it is set
        del os.environ["NO_COLOR"]
    settings_file = paths.dashboard_settings()
    settings, keymap, remarks = Settings(), {}, []
    try:
        settings = read_settings(settings_file)
    except UsageError as problem:  # which leaves the file as it is: what a person saved there may be mended
        remarks.append(str(problem))
    try:
        keymap = read_keymap(paths.keymap(), all_ids(), clashes)
    except UsageError as problem:
        remarks.append(f"{problem}\nUntil then every key is the usual one.")
    app = Dashboard(
        registry=paths.registry_path(options.db),
        settings=settings,
        settings_file=settings_file,
        in_words=options.plain or words_are_wanted(),
        ascii_only=options.ascii or not _speaks_unicode(),
        read_only=True if options.read_only else None,
        first=options.screen,
    )
    app.begin_with_remark("\n".join(remarks))
    if options.theme:
        app.begin_with_theme(options.theme)
    app.has_few_colours = Console(force_terminal=True).color_system in (None, "standard")
    app.set_keymap(keymap)
    return app


def _speaks_unicode() -> bool:
    """Whether the terminal's encoding holds more than ASCII."""
    return (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith(("utf", "gb18030"))


def _write_keys() -> int:
    """List the keys; as a shell says it of other tools where the reader leaves, as `head` does."""
    try:
        for owner, binding in all_bindings():
            sys.stdout.write(f"{binding.id or '':24} {binding.key:24} {owner:16} {binding.tooltip}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_READER_GONE
    return EXIT_FINE


if __name__ == "__main__":
    sys.exit(main())
