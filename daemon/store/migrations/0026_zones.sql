-- Places and circles of people whose state is told together, never of fewer than five.
CREATE TABLE community_zone (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- JSON: {"polygon":[[lat,lon],…]} or {"cells":["…"]}.
  shape TEXT NOT NULL,
  -- Whether whoever is there belongs.
  by_position INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- When the counted people were last chosen.
  counted_at INTEGER,
  -- Kept for a day, so that the same people with one more or less cannot be compared with it.
  removed_at INTEGER
) STRICT;

-- People who belong by hand.
CREATE TABLE community_member (
  zone_id TEXT NOT NULL REFERENCES community_zone (id) ON DELETE CASCADE,
  person_key INTEGER NOT NULL REFERENCES person (key),
  PRIMARY KEY (zone_id, person_key)
) STRICT, WITHOUT ROWID;

-- People who are counted today.
CREATE TABLE community_counted (
  zone_id TEXT NOT NULL REFERENCES community_zone (id) ON DELETE CASCADE,
  person_key INTEGER NOT NULL REFERENCES person (key),
  PRIMARY KEY (zone_id, person_key)
) STRICT, WITHOUT ROWID;
