-- Who has connected a WHOOP account. Tokens are encrypted under a key that is not in here.
CREATE TABLE whoop_connection (
  person_key INTEGER PRIMARY KEY REFERENCES person (key),
  -- refreshing: a refresh began and nobody knows yet how it ended. broken: only connecting again helps.
  state TEXT NOT NULL CHECK (state IN ('connected', 'refreshing', 'broken')),
  sealed BLOB NOT NULL,
  connected_at INTEGER NOT NULL,
  -- Everything up to here was fetched; null before the first fetch.
  synced_until INTEGER,
  last_error TEXT
) STRICT;

-- Sign-ins that were begun: who may finish them, once, and with which proof.
CREATE TABLE whoop_sign_in (
  state_hash BLOB PRIMARY KEY,
  person_key INTEGER NOT NULL REFERENCES person (key),
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Where a night or workout was put, so that one whose beginning is corrected moves instead of standing twice.
CREATE TABLE whoop_record (
  person_key INTEGER NOT NULL REFERENCES person (key),
  external_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('sleep', 'activity')),
  start_at INTEGER NOT NULL,
  PRIMARY KEY (person_key, external_id)
) STRICT, WITHOUT ROWID;
