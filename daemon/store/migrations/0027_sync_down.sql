-- The household's feed while it is read anew: taken over in one unit when it is whole. Until then what was known stays.
CREATE TABLE sync_incoming (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  subject TEXT,
  hlc TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- 0: kept in its merged form only, because it does not fit into the hub's own tables or its person or key is not here. That it is
-- missing there does not mean that somebody here has deleted it.
ALTER TABLE sync_entity ADD COLUMN placed INTEGER NOT NULL DEFAULT 1 CHECK (placed IN (0, 1));
UPDATE sync_entity SET placed = 0 WHERE kind = 'calendar' AND id NOT IN (SELECT id FROM calendar_event)
  AND coalesce(json_extract(body, '$.fields.deleted[0]'), 0) = 0;

-- What the cloud asked this hub to do and the hub took on: asked once, answered once.
CREATE TABLE sync_job (
  job_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
  -- As it goes out: sealed where it is about a person.
  result TEXT,
  taken_at INTEGER NOT NULL,
  ended_at INTEGER,
  -- The cloud knows how it ended.
  answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX sync_job_subject ON sync_job (subject);
