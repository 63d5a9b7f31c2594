"""Stopping on SIGTERM and SIGINT, or in a folder that is another's now, at a moment when nothing is half done."""

import signal
from types import FrameType

from bertmt.run_folder.held_folder import HeldFolder

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedError(Exception):
    """Somebody asked the process to stop.

    Args:
        signal_number: the signal that asked.
    """

    def __init__(self, signal_number: int):
        self.signal_number = signal_number
        self.signal_name = signal.Signals(signal_number).name
        super().__init__(f"stopped by {self.signal_name}")

    @property
    def exit_code(self) -> int:
        """128 + the signal, as a shell reports it: 143 for SIGTERM, 130 for SIGINT."""
        return 128 + self.signal_number


class PausePointError(StoppedError):
    """The run was to pause after this epoch."""

    def __init__(self, epoch: int):
        self.epoch = epoch
        self.signal_name = ""
        Exception.__init__(self, f"paused after epoch {epoch}, as it was to be")

    @property
    def exit_code(self) -> int:
        """0: all went as planned."""
        return 0


class StopFlag:
    """Remembers that a signal came; the work looks at it between two steps, so that no write is torn.

    Attributes:
        held: the folder that is worked in, which is looked after at the same moments; None: nobody's.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.held: HeldFolder | None = None

    def install(self) -> None:
        """From now on signals only set the flag; call it in the main thread."""
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def _remember(self, signal_number: int, frame: FrameType | None) -> None:
        self.signal_number = signal_number

    def check(self) -> None:
        """Return if nobody asked.

        Raises:
            StoppedError: a signal came.
            DisplacedError: the folder is another's now.
        """
        if self.signal_number is not None:
            raise StoppedError(self.signal_number)
        if self.held is not None:
            self.held.look()
