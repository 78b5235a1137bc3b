-- Answers to POSTs with an Idempotency-Key, kept for a day, encrypted; `id` hashes principal, route and key.
CREATE TABLE idempotency (
  id BLOB PRIMARY KEY,
  body_hash TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- Forgetting the oldest.
CREATE INDEX idempotency_created ON idempotency (created_at);
