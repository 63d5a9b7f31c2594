"""The statements of the first schemas of the registry; later ones stand with what they are about."""

# As SQL: sqlite-utils' `create` and `create_index` know neither WITHOUT ROWID nor partial indexes, and the
# comments are what docs/registry.md says of a column. What a later migration adds may go through its tables.
SCHEMA_1 = """
CREATE TABLE snapshots (                -- once for all runs that were submitted with the same code
    key INTEGER PRIMARY KEY,
    code_digest TEXT NOT NULL,          -- of the package's source files
    source TEXT NOT NULL,               -- JSON: version, git commit and diff where there is git
    environment TEXT NOT NULL,          -- JSON: Python, platform, package versions
    UNIQUE (code_digest, source, environment)
);

CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,            -- short, random, also the name of its folder
    name TEXT NOT NULL,
    preset TEXT,                        -- whose toggles the resolved recipe equals
    from_preset TEXT,                   -- the preset that it was made from
    recipe TEXT NOT NULL,               -- resolved, JSON, dotted names
    digest TEXT NOT NULL,               -- of the recipe without the data's location
    seed INTEGER NOT NULL,
    data TEXT NOT NULL,                 -- where the data lies now; the recipe keeps where it lay
    extra_data_file TEXT NOT NULL,
    fingerprints TEXT NOT NULL,         -- JSON: <task>-<split> to fingerprint, at submit
    state TEXT NOT NULL,
    position REAL NOT NULL,             -- order in the queue
    attempt INTEGER NOT NULL DEFAULT 0,
    request TEXT,                       -- "cancel" or "pause": asked of a running run, outlives the worker
    device TEXT,
    worker INTEGER REFERENCES workers (key),
    failure TEXT,                       -- last exception line
    note TEXT NOT NULL DEFAULT '',
    submitted_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    snapshot INTEGER NOT NULL REFERENCES snapshots (key),  -- code and environment at submit
    events_attempt INTEGER NOT NULL DEFAULT 0,  -- up to where the event files were imported
    events_offset INTEGER NOT NULL DEFAULT 0,
    synced_at TEXT
);
CREATE INDEX runs_in_queue ON runs (position) WHERE state = 'queued';
CREATE INDEX runs_by_position ON runs (position);
CREATE INDEX runs_by_state ON runs (state);
CREATE INDEX runs_by_name ON runs (name);
CREATE INDEX runs_by_digest ON runs (digest);

CREATE TABLE summaries (                -- one row per run, so that no list scans metrics
    run INTEGER PRIMARY KEY REFERENCES runs (key) ON DELETE CASCADE,
    phase TEXT,
    step INTEGER,
    steps_total INTEGER,
    epoch INTEGER,
    epochs_total INTEGER,
    seconds_left REAL,
    selected_epoch INTEGER,             -- whose scores these are
    sst REAL,
    para REAL,
    sts REAL,
    overall REAL,
    last_event_at TEXT,
    started TEXT,                       -- JSON: what the child told at its start
    finished TEXT                       -- JSON: what it told at its end
);

CREATE TABLE series (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE metrics (                  -- one counter of steps per run from 0, pretraining included
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    series INTEGER NOT NULL REFERENCES series (key),
    step INTEGER NOT NULL,
    value REAL,                         -- NULL is NaN or infinite
    PRIMARY KEY (run, series, step)
) WITHOUT ROWID;

CREATE TABLE evaluations (              -- epoch 0 is before any training
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,
    sst REAL,
    para REAL,
    sts REAL,
    overall REAL,
    seconds REAL,
    PRIMARY KEY (run, epoch)
) WITHOUT ROWID;

CREATE TABLE splits (                   -- each evaluated split once per fingerprint
    key INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL
);

CREATE TABLE examples (
    split INTEGER NOT NULL REFERENCES splits (key) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    first TEXT NOT NULL,
    second TEXT,
    label REAL,
    PRIMARY KEY (split, position)
) WITHOUT ROWID;

CREATE TABLE predictions (              -- float32, little-endian: numpy.frombuffer(probabilities, "<f4")
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    task TEXT NOT NULL,
    split TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    columns INTEGER NOT NULL,           -- the classes of the task where it has more than two, else 1
    probabilities BLOB NOT NULL,
    PRIMARY KEY (run, task, split, epoch)
);

CREATE TABLE moves (                    -- every change of state
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state_before TEXT,
    state_after TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX moves_by_run ON moves (run);

CREATE TABLE workers (
    key INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_start TEXT NOT NULL,        -- tells a process from a later one with the same pid
    slots TEXT NOT NULL,                -- JSON list
    started_at TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    ended_at TEXT
);

CREATE TABLE tags (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) WITHOUT ROWID;

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

# What front ends that stay open need. A list of 10,000 runs is read once and then kept up to date by the few that
# changed; triggers see to it, so that no writer can forget.
SCHEMA_2 = """
-- "drain" or "stop": asked of a worker, outlives who asked.
ALTER TABLE workers ADD COLUMN request TEXT;

CREATE TABLE changes (                  -- the newest change of each run; stays when the run is removed
    run INTEGER PRIMARY KEY,
    number INTEGER NOT NULL             -- counts the changes of all runs
);
CREATE UNIQUE INDEX changes_by_number ON changes (number);
"""
# What a queue needs that survives anything.
SCHEMA_3 = """
-- Higher ones first; within one, `position` decides.
ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- Not to be started earlier.
ALTER TABLE runs ADD COLUMN not_before_at TEXT;
-- "cpu" or "gpu": which devices may take it; empty: all.
ALTER TABLE runs ADD COLUMN wants TEXT NOT NULL DEFAULT '';
-- How often it was requeued by itself since a person queued it.
ALTER TABLE runs ADD COLUMN recoveries INTEGER NOT NULL DEFAULT 0;
-- 1: it ran out of memory, and its next attempts recompute activations.
ALTER TABLE runs ADD COLUMN saves_memory INTEGER NOT NULL DEFAULT 0;
-- The folder in which its checkpoints have theirs; empty: its run folder.
ALTER TABLE runs ADD COLUMN checkpoint_dir TEXT NOT NULL DEFAULT '';
-- Set: `bertmt rm` removed it; `bertmt gc` deletes it for good.
ALTER TABLE runs ADD COLUMN removed_at TEXT;
-- The steps done at its newest checkpoint.
ALTER TABLE summaries ADD COLUMN checkpoint_step INTEGER;
-- Why it takes nothing for now: three runs in a row died in their first seconds.
ALTER TABLE workers ADD COLUMN guard TEXT;

CREATE TABLE dependencies (             -- a run that waits for the end of another
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    awaited INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    needs_success INTEGER NOT NULL,     -- 1: the other must have finished
    PRIMARY KEY (run, awaited)
) WITHOUT ROWID;
CREATE INDEX dependencies_by_awaited ON dependencies (awaited);

CREATE INDEX runs_by_priority ON runs (priority DESC, position) WHERE state = 'queued';
"""
# What tells a living worker of this registry from one that is gone, or of the registry that this is a copy of.
SCHEMA_4 = """
-- When it was last heard of, by the machine's own clock, which nobody sets; empty: an older version.
ALTER TABLE workers ADD COLUMN beat TEXT NOT NULL DEFAULT '';
-- Device and inode of the registry that it opened; empty: an older version.
ALTER TABLE workers ADD COLUMN registry TEXT NOT NULL DEFAULT '';
"""
# An encoder's name says nothing of what lies under it.
SCHEMA_5 = """
-- JSON: "weights", "config.json", "vocabulary" to fingerprint, at submit; empty: unknown, an older bertmt kept none
ALTER TABLE runs ADD COLUMN encoder_fingerprints TEXT NOT NULL DEFAULT '{}';
"""
# The words of the code and of the field: a run changes its state by a transition, and an actor causes it.
SCHEMA_6 = """
ALTER TABLE moves RENAME TO transitions;
ALTER TABLE transitions RENAME COLUMN owner TO actor;
DROP INDEX moves_by_run;
CREATE INDEX transitions_by_run ON transitions (run);
"""
# A task is data: a run has the tasks that it was submitted with, and as many scores as these have metrics.
SCHEMA_7 = """
CREATE TABLE scores (                   -- dev scores of an evaluated epoch; overall scores stand in `evaluations`
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    task TEXT NOT NULL,
    metric TEXT NOT NULL,               -- a task is judged by the first of its definition
    value REAL,                         -- NULL is undefined
    PRIMARY KEY (run, epoch, task, metric)
) WITHOUT ROWID;

CREATE TABLE task_sets (                -- once for all runs that were submitted with the same definitions
    key INTEGER PRIMARY KEY,
    definitions TEXT NOT NULL UNIQUE    -- JSON list, by name
);

-- What its tasks are; NULL: the built-in ones.
ALTER TABLE runs ADD COLUMN task_set INTEGER REFERENCES task_sets (key);
-- JSON: task to its score in the selected epoch, so that a list of runs reads one row of each.
ALTER TABLE summaries ADD COLUMN scores TEXT NOT NULL DEFAULT '{}';
"""
# Losses and heads of a user's own.
SCHEMA_8 = """
CREATE TABLE sources (                  -- of users' own losses and heads; what was submitted here alone, never imported
    digest TEXT PRIMARY KEY,            -- as recipes have it
    file TEXT NOT NULL,
    source TEXT NOT NULL
) WITHOUT ROWID;
"""
