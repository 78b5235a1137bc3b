-- What people record as a whole: moods, nights, activities, meals. Fields as sent, every earlier version kept.
CREATE TABLE record (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('mood', 'sleep', 'activity', 'meal')),
  person_key INTEGER NOT NULL REFERENCES person (key),
  -- The entry of the source that told it, or the device.
  device_key INTEGER NOT NULL REFERENCES device (key),
  source TEXT NOT NULL,
  -- When it began: one source tells one thing of a kind about one instant.
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  -- The instant whose local day it counts on: waking for a night, the beginning for the rest.
  day_at INTEGER NOT NULL,
  -- JSON, instants as RFC 3339.
  fields TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  UNIQUE (person_key, kind, device_key, start_at)
) STRICT;
-- Listing one kind of one person's records and what counts on a day.
CREATE INDEX record_day ON record (person_key, kind, day_at);

CREATE TABLE record_revision (
  record_id TEXT NOT NULL REFERENCES record (id),
  revision INTEGER NOT NULL,
  fields TEXT NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (record_id, revision)
) STRICT, WITHOUT ROWID;
