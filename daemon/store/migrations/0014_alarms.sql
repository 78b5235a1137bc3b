-- Rules, episodes, and alerts with everybody who was told.
CREATE TABLE rule (
  id TEXT PRIMARY KEY,
  person_key INTEGER NOT NULL REFERENCES person (key),
  -- JSON: name, condition, severity, enabled.
  definition TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  deleted_at INTEGER
) STRICT;
CREATE INDEX rule_person ON rule (person_key);

CREATE TABLE rule_version (
  rule_id TEXT NOT NULL REFERENCES rule (id),
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (rule_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE episode (
  id TEXT PRIMARY KEY,
  person_key INTEGER NOT NULL REFERENCES person (key),
  kind TEXT NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('wellness', 'glucose', 'training', 'media')),
  severity TEXT NOT NULL CHECK (severity IN ('warning', 'urgent')),
  title TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'escalated', 'resolved')),
  origin TEXT NOT NULL CHECK (origin IN ('rule', 'detector', 'person')),
  origin_id TEXT,
  started_at INTEGER NOT NULL,
  last_evidence_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  escalated_at INTEGER,
  resolved_at INTEGER,
  reopened INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 0,
  metadata TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
-- What belongs together is one: two sources that see the same thing at once cannot open two.
CREATE UNIQUE INDEX episode_unresolved ON episode (person_key, kind) WHERE state <> 'resolved';
CREATE INDEX episode_person ON episode (person_key, started_at);

CREATE TABLE episode_row (
  episode_id TEXT NOT NULL REFERENCES episode (id),
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  text TEXT,
  evidence TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (episode_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
  -- Grows: what a phone that was away asks for comes in this order.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  person_key INTEGER NOT NULL REFERENCES person (key),
  episode_id TEXT REFERENCES episode (id),
  kind TEXT NOT NULL CHECK (kind IN ('tip', 'warning', 'urgent')),
  class TEXT NOT NULL CHECK (class IN ('wellness', 'glucose', 'training', 'media')),
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  source TEXT NOT NULL,
  data TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved', 'expired')),
  step INTEGER NOT NULL DEFAULT 0,
  round INTEGER NOT NULL DEFAULT 0,
  next_step_at INTEGER,
  acknowledged_at INTEGER,
  acknowledged_by TEXT,
  -- The same tip is not given twice.
  dedupe TEXT UNIQUE,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_deadline ON alert (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX alert_person ON alert (person_key, seq);
CREATE INDEX alert_episode ON alert (episode_id) WHERE episode_id IS NOT NULL;

-- The outbox: who is told by which channel, once for each step and round.
CREATE TABLE delivery (
  alert_seq INTEGER NOT NULL REFERENCES alert (seq),
  -- `user:<id>`, `person:<id>` or `house`.
  recipient TEXT NOT NULL,
  channel TEXT NOT NULL,
  -- The watch; empty elsewhere.
  address TEXT NOT NULL DEFAULT '',
  round INTEGER NOT NULL,
  step INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  -- Grows with every claim, so that a sender who lost its claim confirms nothing.
  claim INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  sent_at INTEGER,
  delivered_at INTEGER,
  seen_at INTEGER,
  acknowledged_at INTEGER,
  failure TEXT,
  PRIMARY KEY (alert_seq, recipient, channel, address, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX delivery_claimed ON delivery (alert_seq) WHERE state = 'claimed';
-- The last proof that a channel reaches somebody.
CREATE INDEX delivery_recipient ON delivery (recipient, channel, alert_seq);

CREATE TABLE alert_snooze (
  person_key INTEGER NOT NULL REFERENCES person (key),
  recipient TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  until_at INTEGER NOT NULL,
  PRIMARY KEY (person_key, recipient)
) STRICT, WITHOUT ROWID;

-- How a user wants to be told: JSON with quiet hours.
CREATE TABLE alert_setting (
  user_key INTEGER PRIMARY KEY REFERENCES user (key) ON DELETE CASCADE,
  settings TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- One subscription a user for the ntfy app; topic and token are stored as hashes only.
CREATE TABLE ntfy_subscription (
  user_key INTEGER PRIMARY KEY REFERENCES user (key) ON DELETE CASCADE,
  topic_hash BLOB NOT NULL UNIQUE,
  token_hash BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  heard_at INTEGER
) STRICT;
