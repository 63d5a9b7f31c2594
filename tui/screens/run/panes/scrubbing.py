"""One place in a run's time for all tabs about it: an evaluation that a person went to, or what is newest."""

from typing import ClassVar, Protocol, cast

from textual.binding import BindingType
from textual.message import Message

from bertmt.drawing import numbers
from bertmt.services.analysis.evaluations import NOW, Evaluated
from tui.bindings import key
from tui.screens.run.panes.pane import Pane

BACK = "0 goes back to what is newest"


class Scrub:
    """Where that is.

    Attributes:
        epoch: whose evaluation was gone to; None: the newest or, of a finished run, the selected one, whatever it is.
    """

    epoch: int | None = None

    def go_to(self, epoch: int, found: Evaluated) -> None:
        """To an epoch; at the selected one it stays the selected one, also where a newer takes its place."""
        self.epoch = None if epoch == found.selected else epoch

    def epoch_in(self, found: Evaluated) -> int:
        """The epoch, where there is such an evaluation of a task, else the selected one."""
        return self.epoch if self.epoch is not None and self.epoch in found.places else found.selected


class _Scrubbed(Protocol):
    scrub: Scrub


class ScrubPane(Pane):
    """A tab that shows a run as it was at an evaluation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "comma,less_than_sign",
            "epoch(-1)",
            "epoch",
            "The previous evaluation, on every tab about the run.",
            "epoch.before",
            shown=True,
            display=", .",
        ),
        key(
            "full_stop,greater_than_sign",
            "epoch(1)",
            "epoch",
            "The next evaluation, on every tab about the run.",
            "epoch.next",
            display=".",
        ),
        key("0", "selected_epoch", "reset", "Back to what is newest, or selected.", "epoch.selected"),
    ]

    class Moved(Message):
        """Another evaluation is shown, or another axis: what stands beside the tab should go there, too."""

    @property
    def scrub(self) -> Scrub:
        """The place of the screen."""
        return cast(_Scrubbed, self.screen).scrub

    def action_epoch(self, step: int) -> None:
        """Go so many evaluations on."""
        raise NotImplementedError

    def action_selected_epoch(self) -> None:
        """Go back to what is newest."""
        raise NotImplementedError


def moment(found: Evaluated, epoch: int) -> str:
    """Which evaluation is shown, as it stands in the title of a frame; and how one gets away from an older one."""
    step = found.step_at(epoch)
    when = "now" if epoch == NOW else f"epoch {epoch}"
    at = "" if step is None else f", step {numbers.count(step)}"
    return f"{when}{at}" if epoch == found.selected else f"{when}{at}; {BACK}"
