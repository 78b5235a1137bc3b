-- Answers to POSTs with an Idempotency-Key, kept for a day, encrypted; `id` hashes principal, route and key.
CREATE TABLE idempotency (
  id BLOB PRIMARY KEY,
  body_hash TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- Forgetting the oldest.
CREATE INDEX idempotency_created ON idempotency (created_at);

-- What was going on around a person's measurements, kept as sent: school events, what a toy was asked, …
CREATE TABLE context_note (
  person_key INTEGER NOT NULL REFERENCES person (key),
  at INTEGER NOT NULL,
  device_key INTEGER NOT NULL REFERENCES device (key),
  context TEXT,
  interaction TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (person_key, at, device_key)
) STRICT, WITHOUT ROWID;
