"""The tables of searches, as SQL whose comments docs/registry.md repeats; see `migrations.py`."""

SEARCHES = """
-- The epoch after which it pauses by itself; 0: it trains to its end.
ALTER TABLE runs ADD COLUMN pause_after INTEGER NOT NULL DEFAULT 0;

CREATE TABLE searches (                 -- for the best recipe of a space
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    plan TEXT NOT NULL,                 -- JSON: what was asked for
    runs INTEGER,                       -- how many recipes are tried; NULL: the budget is to tell
    held_out TEXT,                      -- JSON: task to the fingerprint and the mask of dev; NULL: not drawn yet
    created_at TEXT NOT NULL,
    ended_at TEXT,                      -- NULL: it goes on
    outcome TEXT NOT NULL DEFAULT ''    -- why it ended, a sentence
);

CREATE TABLE trials (                   -- every recipe that a search tried; stays when its run is deleted
    search INTEGER NOT NULL REFERENCES searches (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,            -- from 1, in the order in which they were drawn
    run TEXT NOT NULL,                  -- the id of its run
    settings TEXT NOT NULL,             -- JSON: the searched settings to their values
    rung INTEGER NOT NULL,              -- how far it was let go: 0 is the first pause
    PRIMARY KEY (search, number)
) WITHOUT ROWID;
CREATE INDEX trials_by_run ON trials (run);
"""
