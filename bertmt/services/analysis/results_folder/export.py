"""Writing what runs measured as a folder for another program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt import paths
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.model_folder import whole_folder
from bertmt.services.analysis.results_folder.csv_files import write_csv
from bertmt.services.analysis.results_folder.measured import Measured
from bertmt.services.analysis.results_folder.parquet_files import write_parquet
from bertmt.services.analysis.results_folder.tables import tables_of
from bertmt.services.analysis.results_folder.tensorboard_files import write_tensorboard
from bertmt.services.ingest.reconcile import bring_up_to_date

TENSORBOARD, CSV, PARQUET = "tensorboard", "csv", "parquet"


@dataclass(frozen=True)
class ResultsExported:
    """A folder that was written, how many files it has and how many bytes these have together.

    Attributes:
        timeless: the runs of which nothing tells when their points were measured.
    """

    folder: Path
    files: int
    size: int
    timeless: Sequence[Run]


def export_results(database: Database, runs: Sequence[Run], to: str, out: Path, force: bool = False) -> ResultsExported:
    """Write the folder.

    Args:
        to: `TENSORBOARD`, `CSV` or `PARQUET`.
        force: replace a folder that an earlier export wrote.

    Raises:
        UsageError: the folder is there already.
        BertmtError: it cannot be written, or a library is missing.
    """
    out = paths.expanded(out).absolute()
    whole_folder.refuse_unless_free(out, force)
    current = [bring_up_to_date(database, run) for run in runs]
    timeless: list[Run] = []

    def measured() -> Iterator[Measured]:
        for run in current:
            found = Measured(database, run)
            if not found.has_times and run.progress.steps_done:
                timeless.append(run)
            yield found

    with whole_folder.written_beside(out, force) as beside:
        if to == TENSORBOARD:
            write_tensorboard(beside, measured())
        else:
            write = write_csv if to == CSV else write_parquet
            write(beside, tables_of(current), measured())
    return ResultsExported(out, *whole_folder.files_and_size(out), timeless)
