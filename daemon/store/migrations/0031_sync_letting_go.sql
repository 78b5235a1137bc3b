-- Days whose single values are let go before they could leave stay where they stand in the feed, so that a gap tells of them; what
-- the cloud has acknowledged needs telling no more.
DROP TRIGGER sync_sealed_day_update;
CREATE TRIGGER sync_sealed_day_update AFTER UPDATE OF chunk ON sealed_day
WHEN EXISTS (SELECT 1 FROM sync_hub) AND new.chunk IS NOT NULL
BEGIN
  DELETE FROM sync_feed WHERE kind = 'raw_chunk' AND key = new.person || '/' || new.metric || '/' || new.device || '/' || new.day;
  INSERT INTO sync_feed (lane, kind, key) VALUES ('bulk', 'raw_chunk', new.person || '/' || new.metric || '/' || new.device || '/' || new.day);
END;
CREATE TRIGGER sync_sealed_day_let_go AFTER UPDATE OF chunk ON sealed_day
WHEN EXISTS (SELECT 1 FROM sync_hub) AND new.chunk IS NULL AND old.chunk IS NOT NULL
BEGIN
  DELETE FROM sync_feed WHERE kind = 'raw_chunk' AND key = new.person || '/' || new.metric || '/' || new.device || '/' || new.day
    AND seq <= (SELECT acked FROM sync_lane WHERE lane = 'bulk');
END;

-- The players of a deleted session go with it, before anybody could ask what it was called.
CREATE TRIGGER sync_session_players_delete BEFORE DELETE ON session
WHEN EXISTS (SELECT 1 FROM sync_hub)
BEGIN
  DELETE FROM sync_feed WHERE kind = 'session_kpi' AND key IN (
    SELECT old.id || ':' || p.id FROM session_player s JOIN person p ON p.key = s.person_key WHERE s.session_key = old.key);
  INSERT INTO sync_feed (lane, kind, key)
    SELECT 'state', 'session_kpi', old.id || ':' || p.id FROM session_player s JOIN person p ON p.key = s.person_key
    WHERE s.session_key = old.key ORDER BY p.key;
END;

-- How far the cloud was on a day: what it has held for a month need not lie in the feed any more.
CREATE TABLE sync_mark (
  lane TEXT NOT NULL,
  day INTEGER NOT NULL,
  acked INTEGER NOT NULL,
  PRIMARY KEY (lane, day)
) STRICT, WITHOUT ROWID;
-- Entries up to here are gone from the feed: a cloud that knows less is sent everything from the tables again.
ALTER TABLE sync_lane ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
