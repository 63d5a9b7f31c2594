"""The line in which the runs are filtered: how many match, what may be typed next, and what is wrong."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from bertmt.drawing import numbers
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut_line, line
from bertmt.errors import BertmtError
from bertmt.filters.completion import Begun, begun_at, field_words, value_words
from bertmt.filters.terms import NUMERIC_KINDS
from bertmt.services.browse.rows import FIELDS
from bertmt.services.browse.run_list import check_filter
from bertmt.tasks.task import Tasks
from tui.bindings import key
from tui.host import host_of
from tui.widgets.text_lines import TextLines

GAP = "  "


class FilterBar(Vertical):
    """Hidden while nothing is filtered; each key that leaves a filter that can be understood filters."""

    DEFAULT_CSS = """
    FilterBar { height: auto; }
    FilterBar Horizontal { height: 1; background: $panel; }
    FilterBar #filter { border: none; height: 1; width: 1fr; padding: 0 1; background: $panel; }
    FilterBar #filter-count { height: 1; width: auto; background: $panel; }
    FilterBar #filter-words { height: 1; padding: 0 1; }
    FilterBar #filter-problem { height: auto; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab", "complete", "complete", "Complete what is begun: a key, or one of its values.", "filter.complete",
            shown=True, display="Tab"),
        key("down", "choose(1)", "next word", "The next word that Tab completes to.", "filter.next"),
        key("up", "choose(-1)", "word before", "The word before.", "filter.before"),
    ]  # fmt: skip

    class Typed(Message):
        """Another filter that can be understood."""

        def __init__(self, text: str):
            super().__init__()
            self.text = text

    class Left(Message):
        """The line was left; keys go elsewhere."""

    def __init__(self) -> None:
        super().__init__(classes="hidden")
        self.text = ""  # the last that was understood
        self.fields: Mapping[str, str] = FIELDS
        self._tasks: Tasks = {}
        self._counted = ""
        self._values: dict[str, Sequence[str]] = {}  # by field, as long as the line is open
        self._words: Sequence[str] = ()
        self._chosen = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Input(placeholder="state:running lora>0 overall>0.5 tag:x -tag:y", id="filter")
            yield TextLines(id="filter-count")
        yield TextLines(self._word_line, id="filter-words", classes="hidden")
        yield TextLines(id="filter-problem", classes="hidden")

    @property
    def field(self) -> Input:
        """Where one types."""
        return self.query_one("#filter", Input)

    def know(self, fields: Mapping[str, str], tasks: Tasks, matching: int, total: int) -> None:
        """What can be filtered by, and how many runs the filter leaves."""
        self.fields, self._tasks = fields, tasks
        self._counted = f"{numbers.count(matching)} of {numbers.count(total)} match" if self.text.strip() else ""
        self._tell()

    def begin(self) -> None:
        """Let a filter be typed."""
        self.remove_class("hidden")
        self._values.clear()
        self.field.value = self.text
        self.screen.set_focus(self.field)  # now: what follows in one burst is typed here
        self._look_for_words()

    def show(self, text: str) -> None:
        """A filter that was not typed here."""
        self.text = text
        self.field.value = text
        self.set_class(not text, "hidden")

    def close(self) -> None:
        """Leave the line; what was understood last stays."""
        self.set_class(not self.text, "hidden")
        self._words = ()
        for part in ("#filter-words", "#filter-problem"):
            self.query_one(part).add_class("hidden")
        self.post_message(self.Left())

    @property
    def _problem(self) -> str | None:
        return check_filter(self.field.value, self.fields)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._problem is None and event.value != self.text:
            self.text = event.value
            self.post_message(self.Typed(event.value))
        self._tell()
        self._look_for_words()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._problem is None:
            self.close()
        else:  # it stays open, with what is wrong below it
            self._tell(also_unfinished=True)

    def _tell(self, also_unfinished: bool = False) -> None:
        """What is wrong, or else how many match; that a value is still to come is nothing wrong while one types."""
        begun, problem = self._begun(), self._problem or ""
        is_unfinished = begun is not None and begun.field and not begun.text
        said = self.query_one("#filter-problem", TextLines)
        is_told = problem and self.field.has_focus and (also_unfinished or not is_unfinished)
        said.set_class(not is_told, "hidden")
        said.show(lambda width: [line(Span(part, "bad")) for part in wrapped(safe_text(problem), width)])
        count = self.query_one("#filter-count", TextLines)
        text = "" if problem else self._counted
        count.styles.width = cells(text) + 1
        count.show([line(Span(text, "dim"))])

    @work(exclusive=True, group="words")
    async def _look_for_words(self) -> None:
        """Find out what may be typed; the values of a field are asked for once."""
        begun = self._begun()
        field = begun.field if begun is not None else ""
        if field and field not in self._values:
            try:
                known = await host_of(self).ask(lambda session: session.runs.values_of(field))
            except BertmtError:  # the load tells of a registry that cannot be used
                known = []
            self._values[field] = known
        if not self.is_attached or not self.field.has_focus:
            return
        self._chosen, self._words = 0, self._words_for(self._begun())
        shown = self.query_one("#filter-words", TextLines)
        shown.set_class(not self._words and not self._expected(), "hidden")
        shown.remake()

    def _begun(self) -> Begun | None:
        return begun_at(self.field.value, self.field.cursor_position, self.fields)

    def _words_for(self, begun: Begun | None) -> Sequence[str]:
        if begun is None:
            return ()
        if begun.field:
            return value_words(begun.text, self._values.get(begun.field, ()))
        return field_words(begun.text, self.fields, self._tasks)

    def _expected(self) -> str:
        """What a value must be where none can be offered."""
        begun = self._begun()
        is_number = begun is not None and self.fields.get(begun.field) in NUMERIC_KINDS and not begun.text
        return "a number, such as 0.4" if is_number else ""

    def _word_line(self, width: int) -> list[Line]:
        """The words, as many as there is room for, from the one that Tab takes on where it would be out of sight."""
        words = [Span(safe_text(word), "cursor" if index == self._chosen else "dim")
                 for index, word in enumerate(self._words)]  # fmt: skip
        if not words:
            return [line(Span(self._expected(), "dim"))]
        head = line(Span("Tab ", "mark"))
        used = cells("Tab ") + sum(cells(each.text) + len(GAP) for each in words[: self._chosen + 1])
        shown = words if used <= width else words[self._chosen :]
        return [cut_line((*head, *(part for each in shown for part in (each, Span(GAP)))), width)]

    def action_choose(self, step: int) -> None:
        if self._words:
            self._chosen = (self._chosen + step) % len(self._words)
            self.query_one("#filter-words", TextLines).remake()

    def action_complete(self) -> None:
        begun = self._begun()
        if begun is None or not self._words:
            host_of(self).notify("Nothing known begins so; what is typed may be right all the same.")
            return
        word, field = self._words[self._chosen], self.field
        before, behind = field.value[: begun.start] + word, field.value[field.cursor_position :]
        field.value = before + behind
        field.cursor_position = len(before)
