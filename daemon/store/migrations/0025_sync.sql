-- What goes to the cloud, and how far it is. While the hub belongs to no household there, nothing is written here.
CREATE TABLE sync_hub (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  hub_id TEXT NOT NULL,
  household_id TEXT NOT NULL,
  household_name TEXT NOT NULL,
  address TEXT NOT NULL,
  -- What the cloud signs its answers with.
  server_key TEXT NOT NULL,
  -- The hub's own key, sealed with its secret.
  sealed_key BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  enrolled_at INTEGER NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  -- Why nothing is sent until somebody decides: revoked, forked.
  stopped TEXT,
  -- Latest reading of the clock that edits are ordered by, and up to where edits were stamped with it.
  hlc TEXT,
  stamped_seq INTEGER NOT NULL DEFAULT 0,
  -- Where reading goes on.
  shape_handle TEXT,
  shape_offset TEXT,
  pulled_at INTEGER,
  conflicts INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sync_lane (
  lane TEXT PRIMARY KEY CHECK (lane IN ('now', 'state', 'bulk')),
  acked INTEGER NOT NULL DEFAULT 0,
  token TEXT,
  pushed_at INTEGER,
  rows INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  -- Bytes of one UTC day, for lines that are paid by the megabyte.
  day INTEGER NOT NULL DEFAULT 0,
  day_bytes INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What changed, in the order of commits; a key that changes again moves to the end.
CREATE TABLE sync_feed (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  lane TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sync_feed_key ON sync_feed (kind, key);
CREATE INDEX sync_feed_lane ON sync_feed (lane, seq);

-- Rows whose stretch is not over yet: they come back into the feed when it is.
CREATE TABLE sync_later (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX sync_later_due ON sync_later (due_at);

-- Which data of whom leaves this house; nothing of a person who is not here.
CREATE TABLE sync_choice (
  person_key INTEGER NOT NULL REFERENCES person (key),
  class TEXT NOT NULL CHECK (class IN ('wellness', 'glucose', 'training', 'media')),
  -- Single values too, not only what they add up to.
  raw INTEGER NOT NULL DEFAULT 0 CHECK (raw IN (0, 1)),
  PRIMARY KEY (person_key, class)
) STRICT, WITHOUT ROWID;

-- The key that a person's fields are sealed with, itself sealed; null once they are erased.
CREATE TABLE sync_subject (
  subject TEXT PRIMARY KEY,
  sealed_key BLOB,
  erased_at INTEGER,
  erased_by TEXT,
  hub_purged_at INTEGER,
  cloud_purged_at INTEGER
) STRICT, WITHOUT ROWID;

-- What hubs and the cloud both edit, field by field with the instant of each edit.
CREATE TABLE sync_entity (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  subject TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- What will never be sent, and why.
CREATE TABLE sync_gap (
  id TEXT PRIMARY KEY,
  subject TEXT,
  series TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL,
  why TEXT NOT NULL,
  rows INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows that the cloud would not take or that could not be made; the lane went on without them.
CREATE TABLE sync_aside (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- Written in the transaction that made the row, whoever made it. Not with REPLACE: inside a trigger the conflict rule of the
-- statement outside counts.
CREATE TRIGGER sync_person_insert AFTER INSERT ON person
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'person' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'person', new.id);
END;
CREATE TRIGGER sync_person_update AFTER UPDATE OF name, kind, birth_date, timezone, deleted_at ON person
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'person' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'person', new.id);
END;
CREATE TRIGGER sync_people_group_insert AFTER INSERT ON people_group
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'group' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'group', new.id);
END;
CREATE TRIGGER sync_people_group_update AFTER UPDATE ON people_group
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'group' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'group', new.id);
END;
CREATE TRIGGER sync_people_group_delete AFTER DELETE ON people_group
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'group' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'group', old.id);
END;
CREATE TRIGGER sync_group_member_insert AFTER INSERT ON group_member
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'group' AND key = new.group_id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'group', new.group_id);
END;
CREATE TRIGGER sync_group_member_update AFTER UPDATE ON group_member
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'group' AND key = new.group_id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'group', new.group_id);
END;
CREATE TRIGGER sync_group_member_delete AFTER DELETE ON group_member
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'group' AND key = old.group_id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'group', old.group_id);
END;
CREATE TRIGGER sync_calendar_event_insert AFTER INSERT ON calendar_event
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'calendar' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'calendar', new.id);
END;
CREATE TRIGGER sync_calendar_event_update AFTER UPDATE ON calendar_event
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'calendar' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'calendar', new.id);
END;
CREATE TRIGGER sync_calendar_event_delete AFTER DELETE ON calendar_event
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'calendar' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'calendar', old.id);
END;
CREATE TRIGGER sync_consent_insert AFTER INSERT ON consent
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'consent' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'consent', new.id);
END;
CREATE TRIGGER sync_consent_update AFTER UPDATE ON consent
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'consent' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'consent', old.id);
  DELETE FROM sync_feed WHERE kind = 'consent' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'consent', new.id);
END;
CREATE TRIGGER sync_consent_delete AFTER DELETE ON consent
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'consent' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'consent', old.id);
END;
CREATE TRIGGER sync_episode_insert AFTER INSERT ON episode
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'episode' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'episode', new.id);
END;
CREATE TRIGGER sync_episode_update AFTER UPDATE ON episode
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'episode' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'episode', new.id);
END;
CREATE TRIGGER sync_episode_delete AFTER DELETE ON episode
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'episode' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'episode', old.id);
END;
CREATE TRIGGER sync_alert_insert AFTER INSERT ON alert
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'alert' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'alert', new.id);
END;
CREATE TRIGGER sync_alert_update AFTER UPDATE OF episode_id, kind, title, message, state, acknowledged_at, acknowledged_by ON alert
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'alert' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'alert', new.id);
END;
CREATE TRIGGER sync_alert_delete AFTER DELETE ON alert
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'alert' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'alert', old.id);
END;
CREATE TRIGGER sync_session_insert AFTER INSERT ON session
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'session', new.id);
END;
CREATE TRIGGER sync_session_update AFTER UPDATE OF session_type, title, group_id, started_at, ended_at ON session
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'session', new.id);
END;
CREATE TRIGGER sync_session_delete AFTER DELETE ON session
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session' AND key = old.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'session', old.id);
END;
CREATE TRIGGER sync_session_player_insert AFTER INSERT ON session_player
WHEN EXISTS (SELECT 1 FROM sync_hub) AND EXISTS (SELECT 1 FROM session WHERE key = new.session_key)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session_kpi' AND key = (SELECT id FROM session WHERE key = new.session_key) || ':' || (SELECT id FROM person WHERE key = new.person_key);
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'session_kpi', (SELECT id FROM session WHERE key = new.session_key) || ':' || (SELECT id FROM person WHERE key = new.person_key));
END;
CREATE TRIGGER sync_session_player_update AFTER UPDATE ON session_player
WHEN EXISTS (SELECT 1 FROM sync_hub) AND EXISTS (SELECT 1 FROM session WHERE key = new.session_key)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session_kpi' AND key = (SELECT id FROM session WHERE key = new.session_key) || ':' || (SELECT id FROM person WHERE key = new.person_key);
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'session_kpi', (SELECT id FROM session WHERE key = new.session_key) || ':' || (SELECT id FROM person WHERE key = new.person_key));
END;
CREATE TRIGGER sync_session_player_delete AFTER DELETE ON session_player
WHEN EXISTS (SELECT 1 FROM sync_hub) AND EXISTS (SELECT 1 FROM session WHERE key = old.session_key)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session_kpi' AND key = (SELECT id FROM session WHERE key = old.session_key) || ':' || (SELECT id FROM person WHERE key = old.person_key);
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'session_kpi', (SELECT id FROM session WHERE key = old.session_key) || ':' || (SELECT id FROM person WHERE key = old.person_key));
END;
CREATE TRIGGER sync_rollup_insert AFTER INSERT ON rollup
WHEN EXISTS (SELECT 1 FROM sync_hub) AND new.level <> 15
BEGIN
  DELETE FROM sync_feed WHERE kind = CASE new.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END AND key = new.person || '/' || new.metric || '/' || new.device || '/' || new.start;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', CASE new.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END, new.person || '/' || new.metric || '/' || new.device || '/' || new.start);
END;
CREATE TRIGGER sync_rollup_update AFTER UPDATE ON rollup
WHEN EXISTS (SELECT 1 FROM sync_hub) AND new.level <> 15
BEGIN
  DELETE FROM sync_feed WHERE kind = CASE new.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END AND key = new.person || '/' || new.metric || '/' || new.device || '/' || new.start;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', CASE new.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END, new.person || '/' || new.metric || '/' || new.device || '/' || new.start);
END;
CREATE TRIGGER sync_rollup_delete AFTER DELETE ON rollup
WHEN EXISTS (SELECT 1 FROM sync_hub) AND old.level <> 15
BEGIN
  DELETE FROM sync_feed WHERE kind = CASE old.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END AND key = old.person || '/' || old.metric || '/' || old.device || '/' || old.start;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('state', CASE old.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END, old.person || '/' || old.metric || '/' || old.device || '/' || old.start);
END;
CREATE TRIGGER sync_sealed_day_insert AFTER INSERT ON sealed_day
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'raw_chunk' AND key = new.person || '/' || new.metric || '/' || new.device || '/' || new.day;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('bulk', 'raw_chunk', new.person || '/' || new.metric || '/' || new.device || '/' || new.day);
END;
CREATE TRIGGER sync_sealed_day_update AFTER UPDATE OF chunk ON sealed_day
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'raw_chunk' AND key = new.person || '/' || new.metric || '/' || new.device || '/' || new.day;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('bulk', 'raw_chunk', new.person || '/' || new.metric || '/' || new.device || '/' || new.day);
END;
CREATE TRIGGER sync_gap_insert AFTER INSERT ON sync_gap
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'gap' AND key = new.id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'gap', new.id);
END;
CREATE TRIGGER sync_erasures_insert AFTER INSERT ON erasures
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'erasure' AND key = new.person_id;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('now', 'erasure', new.person_id);
END;
