"""Noticing that something is wrong with the machine or the set-up, before it burns a whole queue."""

FIRST_SECONDS = 30.0
IN_A_ROW = 3


class CrashGuard:
    """Counts runs in a row that died in their first seconds.

    A run that failed with a sentence of its own about its recipe counts too: three in a row say that it is not the
    recipe of one.
    """

    def __init__(self) -> None:
        self._failures: list[str] = []

    def ended(self, run_id: str, seconds: float, failure: str | None) -> None:
        """Count the end of a child.

        Args:
            seconds: how long it lived.
            failure: why it ended badly; None: it did not.
        """
        if failure is None or seconds > FIRST_SECONDS:
            self._failures = []
        else:
            self._failures.append(f"{run_id}: {failure}")

    @property
    def reason(self) -> str | None:
        """Why the queue should be held; None: it should not."""
        if len(self._failures) < IN_A_ROW:
            return None
        return f"{IN_A_ROW} consecutive runs died within {FIRST_SECONDS:.0f} s; the last: {self._failures[-1]}"

    def reset(self) -> None:
        """Somebody looked into it."""
        self._failures = []
