-- Who may sign in, what they may see, and how a new phone or watch joins.
CREATE TABLE user (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  -- Lower-case spelling that signs in; null for users who came by pairing and have no password.
  login_name TEXT UNIQUE,
  email TEXT UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'caregiver', 'coach', 'member')),
  person_key INTEGER REFERENCES person (key),
  -- argon2id, PHC string.
  password_hash TEXT,
  preferences TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
) STRICT;

-- One class of one person's data, opened to one user; a new decision replaces the old row.
CREATE TABLE consent (
  id TEXT PRIMARY KEY,
  user_key INTEGER NOT NULL REFERENCES user (key),
  person_key INTEGER NOT NULL REFERENCES person (key),
  class TEXT NOT NULL CHECK (class IN ('wellness', 'glucose', 'training', 'media')),
  action TEXT NOT NULL CHECK (action IN ('read', 'write')),
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (user_key, person_key, class)
) STRICT;

-- One signed-in browser or phone: the family of its refresh tokens.
CREATE TABLE sign_in (
  id TEXT PRIMARY KEY,
  user_key INTEGER NOT NULL REFERENCES user (key),
  device_name TEXT,
  -- Set when the sign-in came by pairing.
  paired_at INTEGER,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  -- Absolute end, however often it is refreshed.
  ends_at INTEGER NOT NULL,
  revoked_at INTEGER,
  revoked_for TEXT
) STRICT;
-- A user's sign-ins, for the limit on how many there may be and for disabling.
CREATE INDEX sign_in_user ON sign_in (user_key, created_at);

-- SHA-256 of every refresh token that could still be presented; spent ones stay until they expire, to notice a thief.
CREATE TABLE refresh_token (
  hash BLOB PRIMARY KEY,
  sign_in_id TEXT NOT NULL REFERENCES sign_in (id),
  expires_at INTEGER NOT NULL,
  spent_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);

-- The window in which a new hub can be claimed; the code itself is derived from the generation and a secret file.
CREATE TABLE claim_window (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  tries INTEGER NOT NULL
) STRICT;

-- An invitation shown as QR and eight digits; both are stored as keyed hashes only.
CREATE TABLE pairing_offer (
  id TEXT PRIMARY KEY,
  code_hash BLOB NOT NULL,
  token_hash BLOB NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'caregiver', 'coach', 'member', 'device')),
  device_type TEXT NOT NULL,
  person_key INTEGER REFERENCES person (key),
  -- JSON list of data classes.
  classes TEXT NOT NULL,
  -- The code also registers an account with a password.
  invite INTEGER NOT NULL,
  -- Null: made on the box itself.
  inviter_id TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  wrong_tries INTEGER NOT NULL DEFAULT 0,
  used_at INTEGER
) STRICT;
CREATE INDEX pairing_offer_code ON pairing_offer (code_hash);

-- A phone or device that showed a right code and waits for somebody to say yes.
CREATE TABLE pairing_request (
  id TEXT PRIMARY KEY,
  offer_id TEXT NOT NULL UNIQUE REFERENCES pairing_offer (id),
  device_name TEXT NOT NULL,
  device_type TEXT NOT NULL,
  poll_hash BLOB NOT NULL,
  status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'approved', 'denied')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by TEXT,
  -- When its secrets went out; they go out once.
  collected_at INTEGER
) STRICT;

-- Last known charge in percent, as the device said it.
ALTER TABLE device ADD COLUMN battery REAL;
