-- What a child's school announced, as the family sent it: a JSON list.
ALTER TABLE person ADD COLUMN school_events TEXT NOT NULL DEFAULT '[]';
