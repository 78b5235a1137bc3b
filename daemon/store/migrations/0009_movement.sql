-- Where people were seen by cameras: about ten seconds of one track a row, packed in columns (see movement/chunk.ts).
CREATE TABLE track_chunk (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  track INTEGER NOT NULL,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  boxes BLOB NOT NULL,
  joints BLOB
) STRICT;
CREATE INDEX track_chunk_by_time ON track_chunk (camera, from_at);
CREATE INDEX track_chunk_by_track ON track_chunk (camera, kind, track);
CREATE INDEX track_chunk_by_age ON track_chunk (to_at);

-- Cameras whose last seconds are still in memory: what is left here after a start was lost with the last one.
CREATE TABLE track_open (
  camera TEXT PRIMARY KEY,
  since_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
