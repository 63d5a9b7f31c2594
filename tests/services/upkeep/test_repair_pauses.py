"""Where runs are to pause after a repair."""

import os
from dataclasses import replace
from pathlib import Path

from registry_builder import RegistryBuilder
from registry_to_damage import begin

from bertmt.registry.edits import store_pause
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.services.lifecycle.hold import release_queue
from bertmt.services.upkeep.repair import repair


def test_where_a_run_that_began_since_was_to_pause_is_kept(backed_up: Path) -> None:
    builder = RegistryBuilder(backed_up)
    release_queue(builder.database)
    run = builder.add("new")
    store_pause(builder.database, run.key, 1)
    folder, events = begin(builder, run)
    folder.create(replace(folder.read_order(), pause_after=1), run.submission.recipe_json)
    events.close()
    builder.database.close()
    backed_up.write_bytes(os.urandom(3 * 4096))
    repair(backed_up)
    with open_registry(backed_up) as database:
        [again] = all_runs(database, "runs.id = ?", (run.id,))
    assert again.queueing.pause_after == 1
