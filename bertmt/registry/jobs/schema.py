"""The table of jobs, as SQL whose comments docs/registry.md repeats; see `migrations.py`."""

JOBS = """
CREATE TABLE jobs (                     -- attempts that a scheduler runs, and what it said of them last
    run INTEGER NOT NULL REFERENCES runs (key),
    attempt INTEGER NOT NULL,
    launcher TEXT NOT NULL,             -- "slurm"
    handle TEXT NOT NULL DEFAULT '',    -- what the scheduler calls it; '' until it has answered
    phase TEXT NOT NULL DEFAULT '',     -- "pending", "running", "ended"; '' until it has answered
    reason TEXT NOT NULL DEFAULT '',    -- why it waits, or how it ended, in the scheduler's own words
    node TEXT NOT NULL DEFAULT '',
    time_limit TEXT NOT NULL DEFAULT '',  -- as the scheduler writes it
    obeyed TEXT NOT NULL DEFAULT '',    -- the signal for which its child wrote a checkpoint and ended
    PRIMARY KEY (run, attempt)
) WITHOUT ROWID;
CREATE TRIGGER jobs_update_is_a_change AFTER UPDATE ON jobs BEGIN
    UPDATE changes SET number = (SELECT max(number) + 1 FROM changes) WHERE run = NEW.run; END;
"""
