-- What is planned: for a player or for a group, once or repeated.
CREATE TABLE calendar_event (
  id TEXT PRIMARY KEY,
  person_key INTEGER REFERENCES person (key),
  group_id TEXT REFERENCES people_group (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  event_type TEXT NOT NULL CHECK (event_type IN ('training', 'match', 'recovery', 'school')),
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  -- Where its wall clock hangs: a repeated event keeps its hour there.
  timezone TEXT NOT NULL,
  rrule TEXT,
  drills TEXT NOT NULL DEFAULT '[]',
  ai_generated INTEGER NOT NULL DEFAULT 0 CHECK (ai_generated IN (0, 1)),
  created_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((person_key IS NULL) <> (group_id IS NULL))
) STRICT;
CREATE INDEX calendar_event_of_person ON calendar_event (person_key, start_at);
CREATE INDEX calendar_event_of_group ON calendar_event (group_id, start_at);

-- Addresses under which other calendars fetch one; what they may show is asked of the user behind each, every time.
CREATE TABLE calendar_feed (
  id TEXT PRIMARY KEY,
  token_hash BLOB NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  person_key INTEGER REFERENCES person (key),
  group_id TEXT REFERENCES people_group (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  CHECK ((person_key IS NULL) <> (group_id IS NULL))
) STRICT;
