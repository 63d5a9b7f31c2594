"""What one further run of a `queue` command costs, in an empty and in a long queue."""

import tempfile
import time
from pathlib import Path

from bench.measuring import Figure
from bench.registries import filled_registry
from bertmt.services.plan.submit import Request, plan, submit

FURTHER = 100


def seconds_per_further_run(queued: int) -> float:
    """Plan and submit 1 and 101 seeds; the difference per run."""
    with tempfile.TemporaryDirectory() as folder, filled_registry(Path(folder) / "runs.db", queued) as database:
        times = []
        for count in (1, 1 + FURTHER):
            request = Request(
                preset="baseline", values={"data": "toy", "encoder": "tiny"}, seeds=tuple(range(count)), name=str(count)
            )
            start = time.perf_counter()
            submit(database, plan(request))
            times.append(time.perf_counter() - start)
    return max(times[1] - times[0], 0) / FURTHER


def figures() -> list[Figure]:
    # The first call reads the toy data, which is then cached for the whole process.
    seconds_per_further_run(0)
    empty, full = (sorted(seconds_per_further_run(queued) for _ in range(3))[1] for queued in (0, 2500))
    return [
        Figure("each further queued run, empty queue", empty * 1e3, "ms", 2),
        Figure(
            "each further queued run, 2,500 queued", full * 1e3, "ms", 2, peer="empty queue", peer_value=empty * 1e3
        ),
    ]
