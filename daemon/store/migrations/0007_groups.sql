-- Families, care circles and teams: who belongs, and in which order they are told.
CREATE TABLE people_group (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('family', 'care', 'team')),
  timezone TEXT NOT NULL,
  step_minutes INTEGER NOT NULL,
  -- JSON list of shifts.
  rota TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- A member is a person of the hub or a user who is none.
CREATE TABLE group_member (
  group_id TEXT NOT NULL REFERENCES people_group (id) ON DELETE CASCADE,
  member_id TEXT NOT NULL,
  person_key INTEGER REFERENCES person (key),
  user_key INTEGER REFERENCES user (key) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('cared_for', 'parent', 'carer', 'coach', 'player', 'member')),
  shirt_number INTEGER,
  escalation_order INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (group_id, member_id),
  UNIQUE (group_id, shirt_number),
  CHECK ((person_key IS NULL) <> (user_key IS NULL))
) STRICT, WITHOUT ROWID;
