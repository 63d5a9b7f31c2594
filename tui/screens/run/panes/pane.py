"""What the tabs of the screen about one run have in common."""

from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from textual import work
from textual.containers import Vertical

from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found
from tui.host import Host, host_of
from tui.pictures import save_picture
from tui.widgets.drawing import Drawing


@runtime_checkable
class HasKeys(Protocol):
    """A run on a screen, and whether keys go to it."""

    has_keys: bool


class Pane(Vertical):
    """A tab: it is loaded when it is shown, and again when the registry changed while it is.

    Attributes:
        TITLE: of the tab.
        GUIDE: sentences for the help.
        beside: id of the run whose same tab stands beside it; "" where there is none.
    """

    TITLE: ClassVar[str] = ""
    GUIDE: ClassVar[tuple[str, ...]] = ()
    DEFAULT_CSS = "Pane { height: 1fr; }"
    beside: str = ""

    @property
    def dashboard(self) -> Host:
        """The app, as far as a tab knows it."""
        return host_of(self)

    @property
    def has_keys(self) -> bool:
        """Whether keys go to the run that it is about; else it takes no focus by itself."""
        return next(each for each in self.ancestors if isinstance(each, HasKeys)).has_keys

    async def load(self, run: Run) -> None:
        """Read what the tab shows of a run, and show it.

        Raises:
            BertmtError: there is nothing to show; the screen shows the sentence in the tab's place.
        """
        raise NotImplementedError

    def go_to(self, found: Found) -> None:
        """Show the place where something was found, with the next load."""

    def focus_first(self) -> None:
        """Put the focus where keys should work when the tab is opened."""

    def leave_open(self) -> bool:
        """Close what is open inside the tab, such as a filter; False where nothing is, and Esc leaves the screen."""
        return False

    @work(group="act")
    async def save(self, drawing: Drawing, *names: str) -> None:
        """Save a picture of a drawing into the current folder; its file is named after `names`."""
        await self.dashboard.attempt(save_picture(self.dashboard, drawing, *names))


def shown_path(path: Path) -> str:
    """A path as a person in the current folder would type it."""
    try:
        here = Path.cwd()
    except OSError:  # it was removed
        return str(path)
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
