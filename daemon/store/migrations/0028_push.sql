-- Web Push: whether this household uses it, with which key the hub signs, and the browsers that asked for it.
CREATE TABLE push_setting (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  enabled INTEGER NOT NULL,
  -- Whether title and message of an alert are in the notification; else it only says whom to look after.
  has_words INTEGER NOT NULL,
  public_key TEXT NOT NULL,
  -- The private key, readable by this hub alone.
  sealed BLOB NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE push_subscription (
  id TEXT PRIMARY KEY,
  user_key INTEGER NOT NULL REFERENCES user (key) ON DELETE CASCADE,
  -- Signing out ends it.
  sign_in_id TEXT NOT NULL REFERENCES sign_in (id) ON DELETE CASCADE,
  -- The address is a secret: whoever knows it may try to send there.
  endpoint_hash BLOB NOT NULL UNIQUE,
  sealed BLOB NOT NULL,
  service TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- When the service took a message last, and what it said when it did not.
  accepted_at INTEGER,
  failure TEXT
) STRICT;
CREATE INDEX push_subscription_user ON push_subscription (user_key, created_at);
CREATE INDEX push_subscription_sign_in ON push_subscription (sign_in_id);
