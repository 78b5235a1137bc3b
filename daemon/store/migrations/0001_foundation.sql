-- People, devices, who wore what when, and every observation with its roll-ups.
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL DEFAULT 'adult' CHECK (kind IN ('child', 'teen', 'adult')),
  birth_date TEXT,
  age INTEGER,
  timezone TEXT NOT NULL,
  baseline_stress REAL,
  preferences TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;

CREATE TABLE device (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('watch', 'phone', 'camera', 'gateway', 'wall', 'integration', 'hub')),
  -- SHA-256 of the API key; null for the hub's own entries, which nobody can sign in as.
  key_hash BLOB,
  -- JSON list of MQTT prefixes that a gateway may publish under beside its own.
  prefixes TEXT NOT NULL DEFAULT '[]',
  -- Lower is preferred when two devices tell the same story.
  rank INTEGER NOT NULL DEFAULT 100,
  timezone TEXT,
  created_at INTEGER NOT NULL,
  paired_at INTEGER,
  last_seen_at INTEGER,
  online INTEGER NOT NULL DEFAULT 0,
  revoked_at INTEGER
) STRICT;

-- Who a device's samples belong to: the row that covers the sample's own instant decides.
CREATE TABLE wearer (
  device_key INTEGER NOT NULL REFERENCES device (key),
  from_at INTEGER NOT NULL,
  to_at INTEGER,
  person_key INTEGER NOT NULL REFERENCES person (key),
  PRIMARY KEY (device_key, from_at)
) STRICT, WITHOUT ROWID;

-- Further persons a device may name in a sample (a family's gateway, a clinic's scale).
CREATE TABLE served_person (
  device_key INTEGER NOT NULL REFERENCES device (key),
  person_key INTEGER NOT NULL REFERENCES person (key),
  PRIMARY KEY (device_key, person_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE source (
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Keyed by time first: rows of one commit share a page, which is what keeps an SD card alive.
CREATE TABLE observation (
  ts INTEGER NOT NULL,
  person INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  device INTEGER NOT NULL,
  value REAL NOT NULL,
  source INTEGER NOT NULL,
  quality REAL,
  revision INTEGER NOT NULL DEFAULT 0,
  extra TEXT,
  PRIMARY KEY (ts, person, metric, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE observation_revision (
  ts INTEGER NOT NULL,
  person INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  device INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  value REAL NOT NULL,
  source INTEGER NOT NULL,
  quality REAL,
  extra TEXT,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (ts, person, metric, device, revision)
) STRICT, WITHOUT ROWID;

-- What could not be taken, with the reason; bounded per device by the broker.
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  topic TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  payload BLOB NOT NULL,
  payload_bytes INTEGER NOT NULL
) STRICT;
-- Listing and trimming one device's entries.
CREATE INDEX quarantine_device ON quarantine (device_id, id);
