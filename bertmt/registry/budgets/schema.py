"""The tables of budgets and attempts, as SQL whose comments docs/registry.md repeats; see `migrations.py`."""

BUDGETS = """
CREATE TABLE attempts (                 -- what each used, as its events tell
    run INTEGER NOT NULL REFERENCES runs (key),
    attempt INTEGER NOT NULL,
    began_at TEXT NOT NULL,             -- its first event
    last_at TEXT NOT NULL,              -- its newest event
    gpu_joules REAL,                    -- drawn by its card since it began; NULL: nobody measures it
    cpu_joules REAL,                    -- by the processor and its memory
    shared INTEGER NOT NULL DEFAULT 0,  -- 1: others computed there meanwhile, whose energy is in it
    PRIMARY KEY (run, attempt)
) WITHOUT ROWID;
-- What those of older versions drew is not known.
INSERT INTO attempts (run, attempt, began_at, last_at)
    SELECT key, attempt, coalesce(started_at, submitted_at), coalesce(ended_at, started_at, submitted_at)
    FROM runs WHERE attempt > 0;

-- The sums over its attempts; NULL where that of one is not known.
ALTER TABLE summaries ADD COLUMN gpu_joules REAL;
-- Likewise.
ALTER TABLE summaries ADD COLUMN cpu_joules REAL;
-- 1: others computed there meanwhile, whose energy is in it.
ALTER TABLE summaries ADD COLUMN energy_shared INTEGER NOT NULL DEFAULT 0;

CREATE TABLE budgets (                  -- how much the runs of one command may use together
    key INTEGER PRIMARY KEY,
    hours REAL,                         -- of training, all runs together; NULL: no bound
    kwh REAL,
    most_runs INTEGER,                  -- how many may be begun
    created_at TEXT NOT NULL,
    used_up_at TEXT,                    -- NULL: it is not
    why TEXT NOT NULL DEFAULT '',       -- what of it is used up
    stops_all INTEGER NOT NULL DEFAULT 0,  -- 1: nothing of it is started any more; 0: what was begun may go on
    told INTEGER NOT NULL DEFAULT 0     -- 1: people were told
);
-- Of the command that queued it; NULL: it has none, or a person let it go on without.
ALTER TABLE runs ADD COLUMN budget INTEGER;
CREATE INDEX runs_by_budget ON runs (budget) WHERE budget IS NOT NULL;
"""
