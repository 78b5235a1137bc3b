-- Long work, one row a job; a row is the only truth about it, so that a killed hub goes on where it was.
CREATE TABLE job (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL CHECK (queue IN ('critical', 'default', 'low')),
  -- Higher goes first within its queue.
  priority INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'started', 'finished', 'failed', 'cancelled')),
  payload TEXT NOT NULL,
  -- Where an interrupted attempt goes on, in the words of its kind.
  checkpoint TEXT,
  progress REAL NOT NULL DEFAULT 0,
  stage TEXT,
  result TEXT,
  error TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL,
  -- How often the hub died with it.
  lost INTEGER NOT NULL DEFAULT 0,
  -- Grows with every claim: what an earlier claim still writes has no effect.
  fence INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER,
  timeout_ms INTEGER NOT NULL,
  -- One job with this key waits or runs at a time.
  unique_key TEXT,
  person_key INTEGER REFERENCES person (key),
  -- Of the data that the job shows something about; null: any.
  class TEXT,
  requested_by TEXT,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER
) STRICT;
-- Taking the next one, and listing the newest.
CREATE INDEX job_due ON job (queue, priority DESC, due_at) WHERE status = 'queued';
CREATE INDEX job_created ON job (created_at);
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE status IN ('queued', 'started');

-- The last hour at which a recurring job was due and entered.
CREATE TABLE job_schedule (
  name TEXT PRIMARY KEY,
  last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
