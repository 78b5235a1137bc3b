-- What the watch over vitals has learnt of each person and where it stands, so that a start goes on instead of beginning anew.
CREATE TABLE vital_watch (
  person_key INTEGER PRIMARY KEY REFERENCES person (key),
  -- Name and version of the model, and of the form in which this is kept; what another one left is learnt anew.
  model TEXT NOT NULL,
  learnt_at INTEGER NOT NULL,
  learnt_minutes INTEGER NOT NULL,
  -- JSON: what the person's devices tell, what is usual for them, and where the last minute that was judged left off.
  choice TEXT NOT NULL,
  profile TEXT NOT NULL,
  standing TEXT NOT NULL
) STRICT;
