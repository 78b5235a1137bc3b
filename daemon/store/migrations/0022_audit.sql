-- Who signed in, changed something or looked at whom: a chain in which every entry holds the hash of the one before it.
CREATE TABLE audit_entry (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  act TEXT NOT NULL,
  who_kind TEXT NOT NULL,
  -- Ids, never names: an entry outlives the person it speaks of.
  who TEXT,
  person TEXT,
  class TEXT,
  -- JSON of facts that are nobody's data.
  detail TEXT,
  -- SHA-256 of the hash before it and of this entry.
  hash BLOB NOT NULL
) STRICT;
-- Who looked at one person; what one person did.
CREATE INDEX audit_entry_person ON audit_entry (person, seq) WHERE person IS NOT NULL;
CREATE INDEX audit_entry_who ON audit_entry (who, seq) WHERE who IS NOT NULL;

-- Hashes sealed with a key that is not in the database: a chain that somebody made anew does not fit them.
CREATE TABLE audit_anchor (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  hash BLOB NOT NULL,
  seal BLOB NOT NULL
) STRICT;

-- Where the chain begins and ends, sealed the same way.
CREATE TABLE audit_edge (
  name TEXT PRIMARY KEY CHECK (name IN ('start', 'head')),
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  hash BLOB NOT NULL,
  seal BLOB NOT NULL
) STRICT, WITHOUT ROWID;
