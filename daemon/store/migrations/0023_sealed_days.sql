-- Days that are over, one UTC day of one series a row. A row of `observation` of the same key is newer than what is packed here.
CREATE TABLE sealed_day (
  -- Never used twice: what was unpacked is remembered by it.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  person INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  device INTEGER NOT NULL,
  day INTEGER NOT NULL,
  n INTEGER NOT NULL,
  min REAL,
  max REAL,
  -- The single values; null once they were let go: then nothing more is taken for this day.
  chunk BLOB,
  -- Whether the day's minutes are rows of `rollup_minute`; else they follow from the values, or lie in `minutes`.
  minute_rows INTEGER NOT NULL DEFAULT 1,
  minutes BLOB
) STRICT;
CREATE UNIQUE INDEX sealed_day_series ON sealed_day (person, metric, day, device);
-- The newest one.
CREATE INDEX sealed_day_day ON sealed_day (day);
-- Letting go, oldest first.
CREATE INDEX sealed_day_minute_rows ON sealed_day (day) WHERE minute_rows = 1;
CREATE INDEX sealed_day_values ON sealed_day (metric, day) WHERE chunk IS NOT NULL;
CREATE INDEX sealed_day_minutes ON sealed_day (day) WHERE minutes IS NOT NULL;
