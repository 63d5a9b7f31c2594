"""What curves are drawn over, by name; without numpy, which the first picture of the dashboard need not wait for."""

STEP, EPOCH, TIME = "step", "epoch", "time"
AXES = (STEP, EPOCH, TIME)


def axis_after(name: str) -> str:
    """The next of `AXES`."""
    return AXES[(AXES.index(name) + 1) % len(AXES)]
