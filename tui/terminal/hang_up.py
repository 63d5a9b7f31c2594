"""The end of a dashboard whose terminal is gone."""

import os
import signal
import threading
from collections.abc import Callable

SECONDS = 3.0  # from the end of the terminal to that of the process, at most


def hang_up(leave: Callable[[], None]) -> None:
    """End, also where nobody is left to see it.

    Without a terminal Textual may wait for ever to write to it, and reads the end of its keys over and over, on a core
    that others need.

    Args:
        leave: ends the dashboard where that is still possible.
    """
    last = threading.Timer(SECONDS, os._exit, (128 + signal.SIGHUP,))
    last.daemon = True
    last.start()
    leave()
