-- Keyed hash of an integration's key in the SHA-1 form that Nightscout's uploaders send.
ALTER TABLE device ADD COLUMN api_secret_hash BLOB;

-- What looping apps and diaries note about a treatment: boluses, basal rates, carbohydrates, notes. Documents as sent.
CREATE TABLE treatment (
  person_key INTEGER NOT NULL REFERENCES person (key),
  -- 24 hexadecimal digits, the document's name towards its clients.
  id TEXT NOT NULL,
  -- The client's own name for it, or what stands in for one.
  identifier TEXT NOT NULL,
  -- The uploader that told it first.
  device_key INTEGER NOT NULL REFERENCES device (key),
  at INTEGER NOT NULL,
  event_type TEXT NOT NULL,
  fields TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (person_key, id),
  UNIQUE (person_key, identifier)
) STRICT;
-- Listing somebody's treatments by time, and those of one instant.
CREATE INDEX treatment_at ON treatment (person_key, at);
-- What followers fetch: everything that changed since.
CREATE INDEX treatment_updated ON treatment (person_key, updated_at);

CREATE TABLE treatment_revision (
  person_key INTEGER NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  fields TEXT NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (person_key, id, revision)
) STRICT, WITHOUT ROWID;

-- The last word of each uploader on what it keeps saying: its status, its profile.
CREATE TABLE uploader_document (
  device_key INTEGER NOT NULL REFERENCES device (key),
  collection TEXT NOT NULL,
  person_key INTEGER NOT NULL REFERENCES person (key),
  fields TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (device_key, collection)
) STRICT, WITHOUT ROWID;
