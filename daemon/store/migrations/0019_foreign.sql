-- What the owner decided about devices that speak through somebody else's firmware.
CREATE TABLE foreign_device (
  -- What its gateway calls it: a Bluetooth address without colons, or a name.
  address TEXT PRIMARY KEY,
  -- Null: the owner wants nothing of it.
  device_key INTEGER REFERENCES device (key),
  -- JSON: what its fields mean, by their name or class; a metric, or `ignore`.
  metrics TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
