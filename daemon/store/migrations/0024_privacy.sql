-- Backups that were made: where they lie and who was erased since.
CREATE TABLE backup (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- Name in the folder of backups.
  file TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  sealed_for TEXT NOT NULL CHECK (sealed_for IN ('key', 'passphrase')),
  media INTEGER NOT NULL,
  -- When the file was removed from this box.
  gone_at INTEGER,
  -- Persons who were erased after it was made: whoever holds a copy elsewhere holds them still.
  erased_since INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX backup_at ON backup (at);

-- Who was erased. Grows only: what once was erased stays so wherever it comes from again.
CREATE TABLE erasures (
  person_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- User who said so; null for the box itself.
  by TEXT
) STRICT, WITHOUT ROWID;

-- Archives of one person's data, fetched once.
CREATE TABLE personal_export (
  id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL,
  -- Null: the box itself.
  asked_by TEXT,
  asked_at INTEGER NOT NULL,
  ready_at INTEGER,
  bytes INTEGER,
  expires_at INTEGER,
  fetched_at INTEGER
) STRICT;
