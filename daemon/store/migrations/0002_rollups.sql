-- One-minute roll-ups. Time first: the rows that a minute closes share a page.
CREATE TABLE rollup_minute (
  start INTEGER NOT NULL,
  person INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  device INTEGER NOT NULL,
  -- Values are integers of 1/scale of the metric's unit; what would leave 2^53 is null.
  n INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  sum_sq INTEGER,
  min INTEGER NOT NULL,
  min_at INTEGER NOT NULL,
  max INTEGER NOT NULL,
  max_at INTEGER NOT NULL,
  first INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  covered_ms INTEGER NOT NULL,
  sum_v_dt INTEGER,
  n_diff INTEGER NOT NULL,
  sum_sq_diff INTEGER,
  bins BLOB NOT NULL,
  -- Grows with every change of the bucket.
  rev INTEGER NOT NULL,
  PRIMARY KEY (start, person, metric, device)
) STRICT, WITHOUT ROWID;

-- Quarter hours (15), hours (60) and the person's local days (1440), by length in minutes. Series first: they are read by series.
CREATE TABLE rollup (
  level INTEGER NOT NULL CHECK (level IN (15, 60, 1440)),
  person INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  start INTEGER NOT NULL,
  device INTEGER NOT NULL,
  n INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  sum_sq INTEGER,
  min INTEGER NOT NULL,
  min_at INTEGER NOT NULL,
  max INTEGER NOT NULL,
  max_at INTEGER NOT NULL,
  first INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  covered_ms INTEGER NOT NULL,
  sum_v_dt INTEGER,
  n_diff INTEGER NOT NULL,
  sum_sq_diff INTEGER,
  bins BLOB NOT NULL,
  rev INTEGER NOT NULL,
  PRIMARY KEY (level, person, metric, start, device)
) STRICT, WITHOUT ROWID;

-- Hours of a series whose quarters, hour and day in `rollup` do not hold all its minutes yet.
CREATE TABLE rollup_pending (
  person INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  device INTEGER NOT NULL,
  hour_start INTEGER NOT NULL,
  PRIMARY KEY (person, metric, device, hour_start)
) STRICT, WITHOUT ROWID;

-- The zone that a person's local days in `rollup` were cut in.
CREATE TABLE rollup_zone (
  person INTEGER PRIMARY KEY,
  zone TEXT NOT NULL
) STRICT;
