-- The household's cameras. How to sign in to one is sealed under a key outside the database.
CREATE TABLE camera (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('rtsp', 'mjpeg', 'mqtt', 'push', 'phone', 'file')),
  -- As shown: without user, password and secret query fields.
  url TEXT,
  -- AES-256-GCM: nonce, ciphertext, tag; the whole address with its credentials.
  sealed BLOB,
  has_credentials INTEGER NOT NULL CHECK (has_credentials IN (0, 1)),
  device_key INTEGER UNIQUE REFERENCES device (key),
  analyse INTEGER NOT NULL CHECK (analyse IN (0, 1)),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  -- Null: root on the box, or somebody who is gone.
  added_by INTEGER REFERENCES user (key) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- Whom a camera films.
CREATE TABLE camera_person (
  camera_key INTEGER NOT NULL REFERENCES camera (key) ON DELETE CASCADE,
  person_key INTEGER NOT NULL REFERENCES person (key),
  PRIMARY KEY (camera_key, person_key)
) STRICT, WITHOUT ROWID;
