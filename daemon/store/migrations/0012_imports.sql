-- Files that somebody brought in: what came of each. The file itself lies in the data directory until its job has ended.
CREATE TABLE import (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL,
  person_key INTEGER NOT NULL REFERENCES person (key),
  kind TEXT NOT NULL,
  file_name TEXT,
  bytes INTEGER NOT NULL,
  -- JSON, brought up to date with every batch.
  counts TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL
) STRICT;
-- Listing, newest first.
CREATE INDEX import_created ON import (created_at);

-- What was left out, and why; more of the same are counted.
CREATE TABLE import_skip (
  import_id TEXT NOT NULL REFERENCES import (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  place TEXT NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (import_id, seq)
) STRICT, WITHOUT ROWID;
