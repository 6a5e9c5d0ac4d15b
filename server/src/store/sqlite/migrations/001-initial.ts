import type { Migration } from '@cloister/kit';

/** Times are milliseconds since 1970. Enumerations are the wire's own words. */
export const initial: Migration = {
  name: '001-initial',
  sql: `
CREATE TABLE jobs (
  job TEXT PRIMARY KEY,
  -- What instance names are made of; two live jobs must never share a name.
  short TEXT NOT NULL UNIQUE,
  id TEXT NOT NULL,
  analyst TEXT NOT NULL,
  bundle TEXT NOT NULL,
  not_after INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  code TEXT,
  cells_done INTEGER,
  cells_total INTEGER,
  report TEXT,
  -- Last, since it is large: what comes after it in a row would be read through it.
  manifest TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_newest ON jobs (analyst, created_at DESC, job DESC);
CREATE INDEX jobs_newest_in_state ON jobs (analyst, state, created_at DESC, job DESC);
CREATE INDEX jobs_live ON jobs (created_at, job) WHERE state IN ('queued', 'waiting', 'launching', 'attesting', 'running', 'sealing');
CREATE INDEX jobs_bundle ON jobs (bundle);
-- The last line of defence: whatever the program does, an end is an end and attempts only grow.
CREATE TRIGGER jobs_only_forward BEFORE UPDATE ON jobs
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled', 'lost') OR NEW.attempt < OLD.attempt OR NEW.version <> OLD.version + 1
BEGIN SELECT RAISE(ABORT, 'a job never goes back'); END;

CREATE TABLE attempts (
  job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  max_run_seconds INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  key TEXT,
  image TEXT,
  claim_code TEXT,
  claim_denials TEXT,
  PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

-- What is still to be done outside the database. At most one row a job, and one a thing to delete.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('start', 'launch')),
  job TEXT NOT NULL UNIQUE REFERENCES jobs ON DELETE CASCADE,
  not_before INTEGER NOT NULL,
  tries INTEGER NOT NULL
) STRICT;
CREATE TABLE garbage (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('bundle', 'job')),
  digest TEXT NOT NULL,
  UNIQUE (kind, digest)
) STRICT;

CREATE TABLE idempotency (
  analyst TEXT NOT NULL,
  key TEXT NOT NULL,
  body TEXT NOT NULL,
  job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  PRIMARY KEY (analyst, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_job ON idempotency (job);

CREATE TABLE outputs (
  job TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  -- output/n has n; the index comes last.
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (job, attempt, position),
  FOREIGN KEY (job, attempt) REFERENCES attempts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE reports (
  job TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  digest TEXT NOT NULL,
  -- NULL: the run succeeded.
  failure TEXT,
  PRIMARY KEY (job, attempt),
  FOREIGN KEY (job, attempt) REFERENCES attempts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice, also after rows were pruned, so that resuming skips nothing.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  analyst TEXT NOT NULL,
  job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  version INTEGER NOT NULL,
  time INTEGER NOT NULL,
  code TEXT,
  cells_done INTEGER,
  cells_total INTEGER
) STRICT;
CREATE INDEX events_of_analyst ON events (analyst, seq);
CREATE INDEX events_of_job ON events (job);
CREATE INDEX events_by_time ON events (time);

CREATE TABLE assets (
  asset TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  descriptor TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  UNIQUE (owner, name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE files (
  kind TEXT NOT NULL CHECK (kind IN ('bundle', 'asset')),
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  stored_by TEXT NOT NULL,
  stored_at INTEGER NOT NULL,
  PRIMARY KEY (kind, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_age ON files (kind, stored_at);

CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`
};
