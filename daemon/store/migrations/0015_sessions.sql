-- What players did together: trainings, matches, live sessions in front of cameras.
CREATE TABLE session (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  session_type TEXT NOT NULL CHECK (session_type IN ('training', 'match', 'analysis', 'scan', 'live')),
  title TEXT,
  group_id TEXT,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  duration_minutes REAL,
  metadata TEXT NOT NULL DEFAULT '{}',
  -- As a client sent them; those of live sessions stand with each player.
  kpis TEXT,
  -- Whether it is running in front of cameras; a start of the hub goes on with it.
  live INTEGER NOT NULL DEFAULT 0 CHECK (live IN (0, 1)),
  -- What the running session was asked to do, as JSON.
  asked TEXT,
  -- When the hub was last seen at it: what lies between this and the next start is a gap.
  alive_at INTEGER,
  created_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_start ON session (started_at);
CREATE INDEX session_live ON session (live) WHERE live = 1;

CREATE TABLE session_player (
  session_key INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
  person_key INTEGER NOT NULL REFERENCES person (key),
  duration_minutes REAL,
  rpe REAL,
  rpe_at INTEGER,
  kpis TEXT,
  PRIMARY KEY (session_key, person_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_player_by_person ON session_player (person_key);

-- Who was seen by which camera; person_key null: nobody said who it is.
CREATE TABLE session_track (
  session_key INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
  camera TEXT NOT NULL,
  track INTEGER NOT NULL,
  person_key INTEGER REFERENCES person (key),
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- Sums of the joints' angles and steps, and why there were no metres, as JSON.
  gait TEXT NOT NULL,
  PRIMARY KEY (session_key, camera, track)
) STRICT, WITHOUT ROWID;

-- Where on the pitch and how fast, ten times a second: about ten seconds a row (see session-paths.ts).
CREATE TABLE session_path (
  id INTEGER PRIMARY KEY,
  session_key INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
  camera TEXT NOT NULL,
  track INTEGER NOT NULL,
  from_slot INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  path BLOB NOT NULL
) STRICT;
CREATE INDEX session_path_by_session ON session_path (session_key, from_slot);

CREATE TABLE session_tag (
  id TEXT PRIMARY KEY,
  session_key INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  label TEXT NOT NULL,
  person_key INTEGER REFERENCES person (key),
  created_by TEXT
) STRICT;
CREATE INDEX session_tag_by_session ON session_tag (session_key, at);

-- When nothing was seen and why: the hub was off, a camera was away or had moved.
CREATE TABLE session_gap (
  id INTEGER PRIMARY KEY,
  session_key INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
  from_at INTEGER NOT NULL,
  to_at INTEGER,
  reason TEXT NOT NULL,
  camera TEXT
) STRICT;
CREATE INDEX session_gap_by_session ON session_gap (session_key, from_at);

-- Files of a session; the bytes lie in the data directory under the same id.
CREATE TABLE session_attachment (
  id TEXT PRIMARY KEY,
  session_key INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  -- Null: sent by somebody; a camera: recorded by the hub.
  camera TEXT,
  from_at INTEGER,
  to_at INTEGER,
  created_by TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_attachment_by_session ON session_attachment (session_key, created_at);

-- How a camera's picture lies on the pitch.
CREATE TABLE camera_calibration (
  camera TEXT PRIMARY KEY,
  -- Homography, pitch, points and errors, as JSON.
  calibration TEXT NOT NULL,
  -- The picture it was made for, small and grey; null when there was none.
  view_width INTEGER,
  view_height INTEGER,
  view BLOB,
  -- When the camera was found to have moved since; null: it has not.
  moved_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
