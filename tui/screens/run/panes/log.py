"""The log of a run: what its child wrote, followed while it grows, filtered, from error to error."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, line, wrap_parts
from bertmt.errors import BertmtError, NotFoundError
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.find.found import Found
from bertmt.services.browse.log_reader import LogReader, error_blocks, lines_about
from bertmt.services.browse.logs import log_path
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.run.panes.pane import Pane, shown_path
from tui.screens.run.widgets.log_lines import LogLine, LogLines
from tui.widgets.frame import framed
from tui.widgets.text_lines import TextLines

POLL_SECONDS = 0.5  # a log may grow while nothing in the registry changes
NOTHING_YET = "Nothing has been written yet."
NO_SUCH_LINE = "No line has this text; Esc takes the filter away."
A_PART = "These are the lines about the one that was found; E shows the end."
NOT_SHOWN = "What came before is not shown here; the file has all of it."


@dataclass(frozen=True)
class Read:
    """What is known of a log.

    Attributes:
        errors: how many there are in its lines.
        found: the line that was gone to, by its place; None: the end is shown.
    """

    path: Path
    lines: Sequence[LogLine] = ()
    errors: int = 0
    is_whole: bool = True
    found: int | None = None


class LogPane(Pane):
    """The log of the last attempt, or of an earlier one."""

    TITLE = "Log"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "What the run's process wrote to stdout and stderr. The view follows the end until you scroll away; E or G "
        "follows it again. Lines that report an error are marked ✗; a traceback has one mark.",
    )
    DEFAULT_CSS = """
    LogPane #log-status { padding: 0 1; }
    LogPane #log-filter { border: none; height: 1; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("E", "follow", "follow", "Follow the end of the log, or stop there.", "log.follow", shown=True),
        key("slash", "filter", "filter", "Show only lines with a text.", "log.filter", shown=True, display="/"),
        key("right_curly_bracket", "error(1)", "jump", "Go to the next error.", "log.next_error", True, "}"),
        key("left_curly_bracket", "error(-1)", "jump back", "Go to the error before.", "log.previous_error",
            display="{"),
        key("left_square_bracket", "attempt(-1)", "previous", "The attempt before.", "log.back", display="["),
        key("right_square_bracket", "attempt(1)", "next", "The attempt after.", "log.more", display="]"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.attempt = 0  # 0 is always the last
        self._offset: int | None = None  # of the line that was found; None: the log is shown from its end on
        self._run: Run | None = None
        self._reader: LogReader | None = None
        self._last: Read | None = None  # what the registry's thread answered last; two questions may be under way
        self._read: Read | None = None
        self._problem = ""
        self._place = ""  # which error the last jump went to
        self._shown = 0

    def compose(self) -> ComposeResult:
        yield TextLines(id="log-status")
        yield Input(placeholder="only lines with this text", id="log-filter", classes="hidden")
        yield framed(LogLines(), "Log", first=True)

    def on_mount(self) -> None:
        if self.dashboard.poll_seconds:
            self.set_interval(POLL_SECONDS, self._poll)

    @property
    def log_lines(self) -> LogLines:
        """The lines."""
        return self.query_one(LogLines)

    @property
    def filter_text(self) -> str:
        """What lines must have to be shown."""
        return self.query_one("#log-filter", Input).value

    def focus_first(self) -> None:
        self.log_lines.focus()

    def show_attempt(self, attempt: int) -> None:
        """Show the log of an attempt, with the next load."""
        self.attempt, self._offset = attempt, None

    def go_to(self, found: Found) -> None:
        self.show_attempt(found.attempt)  # the run may have had further ones since
        self._offset = found.offset

    async def load(self, run: Run) -> None:
        if not run.attempt:
            raise NotFoundError(f"Run {run.id} is {run.state} and has not started yet, so it has no log.")
        self._run = run
        await self._look()

    def _poll(self) -> None:
        if self.display and self.screen.is_current and self._run is not None:
            self.run_worker(self.dashboard.attempt(self._look()), group="log", exclusive=True)

    async def _look(self) -> None:
        """Read what is new; where there is no file the sentence stands in its place, so that others can be chosen."""
        before = self._read, self._problem
        try:
            self._read, self._problem = await self.dashboard.ask(self._read_on), ""
        except NotFoundError as problem:
            self._read, self._problem = None, str(problem)
        if before[0] is not None and (self._read is None or self._read.path != before[0].path):
            self._place, self.log_lines.chosen = "", None
            self.log_lines.is_following = True
        if self._read is not before[0] or self._problem != before[1]:
            self._show_lines()
            if self._read is not None and self._read.found is not None:
                self.log_lines.go_to_line(self._read.found)
        self._show_status()

    def _read_on(self, session: Session) -> Read:
        """On the registry's thread: what was read before and what is new; the same object where nothing is."""
        assert self._run is not None
        path = log_path(session.database, self._run, self.attempt)
        if self._offset is not None:
            return self._read_about(path, self._offset)
        if self._reader is None or self._reader.path != path:
            self._reader = LogReader(path)
        reader, before = self._reader, (len(self._reader.lines), self._reader.unfinished)
        is_new = bool(reader.poll()) or before != (len(reader.lines), reader.unfinished)
        if self._last is not None and self._last.path == path and self._last.found is None and not is_new:
            return self._last
        texts = [*reader.lines, *([reader.unfinished] if reader.unfinished else [])]
        is_whole = not reader.skipped_bytes and len(reader.lines) != reader.lines.maxlen
        self._last = _read(path, texts, is_whole)
        return self._last

    def _read_about(self, path: Path, offset: int) -> Read:
        """On the registry's thread: the lines about the one that was found, read once."""
        if self._last is None or self._last.path != path or self._last.found is None:
            part = lines_about(path, offset)
            self._last = _read(path, part.lines, part.is_whole, part.place)
        return self._last

    def _show_lines(self) -> None:
        lines: Sequence[LogLine] = self._read.lines if self._read else ()
        wanted = self.filter_text.casefold()
        if wanted:
            lines = [each for each in lines if wanted in each.text.casefold()]
        self._shown = len(lines)
        self.log_lines.show_log(lines, safe_text(self._remark()))

    def _remark(self) -> str:
        """What is said before the first line."""
        if self._read is None:
            return self._problem
        if not self._shown:
            return NO_SUCH_LINE if self._read.lines else NOTHING_YET
        if self._read.found is not None:
            return "" if self._read.is_whole else A_PART
        return "" if self._read.is_whole else NOT_SHOWN

    @on(LogLines.FollowingChanged)
    def _show_status(self) -> None:
        self.query_one("#log-status", TextLines).show(self._status)

    def _status(self, width: int) -> list[Line]:
        """What is shown and where it is, in one line where there is room."""
        run, read = self._run, self._read
        if run is None:
            return []
        attempt = f"attempt {self.attempt or run.attempt} of {run.attempt}"
        parts = [line(Span(attempt if run.attempt == 1 else f"{attempt} ([ ])", "dim"))]
        if read is not None:
            total = numbers.counted(len(read.lines), "line")
            said = f"{numbers.count(self._shown)} of {total}" if self.filter_text else total
            parts.append(line(Span(said, "dim")))
            parts += [line(Span(self._error_words(read), "bad"))] if read.errors else []
            parts.append(self._following())
            parts.append(line(Span(_end_of(safe_text(shown_path(read.path)), width), "dim")))
        return wrap_parts(parts, width)

    def _error_words(self, read: Read) -> str:
        if self._place:
            return self._place
        return f"{numbers.counted(read.errors, 'error')} (}})"

    def _following(self) -> Line:
        run = self._run
        if self._offset is not None:
            return line(Span("at what was found (E: the end)", "good"))
        if run is not None and (run.state is not State.RUNNING or self.attempt not in (0, run.attempt)):
            return line(Span("complete", "dim"))
        return line(Span("following", "good") if self.log_lines.is_following else Span("not following (E)", "dim"))

    def action_follow(self) -> None:
        """Follow the end, or stop."""
        if self._offset is None:
            self.log_lines.follow(not self.log_lines.is_following)
            return
        self._offset = None
        self.log_lines.follow(True)
        self._poll()

    def action_error(self, direction: int) -> None:
        """Go to another error."""
        self._place = self.log_lines.go_to_error(direction)
        if not self._place:
            where = " in the lines shown" if self.filter_text else ""
            self.dashboard.notify(f"No error was found{where}.")
        self._show_status()

    async def action_attempt(self, direction: int) -> None:
        """Show the log of another attempt."""
        if self._run is None:
            return
        last = self._run.attempt
        wanted = max(1, min((self.attempt or last) + direction, last))
        self.show_attempt(0 if wanted == last else wanted)
        with suppress(BertmtError):  # the look at the registry says it
            await self._look()

    def action_filter(self) -> None:
        """Type a filter."""
        field = self.query_one("#log-filter", Input)
        field.remove_class("hidden")
        field.focus()

    @on(Input.Changed, "#log-filter")
    def _filter_typed(self) -> None:
        self._place, self.log_lines.chosen = "", None
        self._show_lines()
        self._show_status()

    @on(Input.Submitted, "#log-filter")
    def _filter_entered(self) -> None:
        self.query_one("#log-filter", Input).set_class(not self.filter_text, "hidden")
        self.log_lines.focus()

    def leave_open(self) -> bool:
        field = self.query_one("#log-filter", Input)
        if field.has_class("hidden"):
            return False
        field.value = ""
        field.add_class("hidden")
        self.log_lines.focus()
        return True


def _read(path: Path, texts: Sequence[str], is_whole: bool, found: int | None = None) -> Read:
    blocks = error_blocks(texts)
    block_of = {index: number for number, block in enumerate(blocks) for index in block}
    lines = [LogLine(text, block_of.get(index)) for index, text in enumerate(texts)]
    return Read(path, lines, len(blocks), is_whole, found)


def _end_of(text: str, width: int) -> str:
    """Its end in so many cells: of a path, that tells most."""
    if cells(text) <= width:
        return text
    while cells(text) > width - 1:
        text = text[1:]
    return f"…{text}"
