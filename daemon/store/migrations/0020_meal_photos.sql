-- Photos of meals: the row here, the pictures as files named by `file`.
CREATE TABLE meal_photo (
  record_id TEXT PRIMARY KEY REFERENCES record (id),
  file TEXT NOT NULL UNIQUE,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  full_bytes INTEGER NOT NULL,
  thumb_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
