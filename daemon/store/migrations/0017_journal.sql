-- Records of a day's journal; a CHECK is changed by moving the rows.
CREATE TABLE record_next (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('mood', 'sleep', 'activity', 'meal', 'journal')),
  person_key INTEGER NOT NULL REFERENCES person (key),
  -- The entry of the source that told it, or the device.
  device_key INTEGER NOT NULL REFERENCES device (key),
  source TEXT NOT NULL,
  -- When it began: one source tells one thing of a kind about one instant. For a journal: its date at 0:00 UTC.
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  -- The instant whose local day it counts on: waking for a night, noon of its day for a journal, the beginning for the rest.
  day_at INTEGER NOT NULL,
  -- JSON, instants as RFC 3339.
  fields TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  UNIQUE (person_key, kind, device_key, start_at)
) STRICT;
INSERT INTO record_next (id, kind, person_key, device_key, source, start_at, end_at, day_at, fields, revision,
    created_at, updated_at, deleted_at)
  SELECT id, kind, person_key, device_key, source, start_at, end_at, day_at, fields, revision, created_at,
    updated_at, deleted_at FROM record;

CREATE TABLE record_revision_next (
  record_id TEXT NOT NULL REFERENCES record_next (id),
  revision INTEGER NOT NULL,
  fields TEXT NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (record_id, revision)
) STRICT, WITHOUT ROWID;
INSERT INTO record_revision_next (record_id, revision, fields, replaced_at)
  SELECT record_id, revision, fields, replaced_at FROM record_revision;

DROP TABLE record_revision;
DROP TABLE record;
ALTER TABLE record_next RENAME TO record;
ALTER TABLE record_revision_next RENAME TO record_revision;
-- Listing one kind of one person's records and what counts on a day.
CREATE INDEX record_day ON record (person_key, kind, day_at);
