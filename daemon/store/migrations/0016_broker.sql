-- What MQTT subscribers are owed: kept so that a hub that was killed goes on where it was.
CREATE TABLE mqtt_subscription (
  client_id TEXT NOT NULL,
  filter TEXT NOT NULL,
  qos INTEGER NOT NULL,
  PRIMARY KEY (client_id, filter)
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_retained (
  topic TEXT PRIMARY KEY,
  qos INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

-- Messages for sleeping or silent subscribers, in the order of sequence.
CREATE TABLE mqtt_queued (
  sequence INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  qos INTEGER NOT NULL,
  payload BLOB NOT NULL,
  -- Packet id of a QoS 2 message that went out.
  message_id INTEGER,
  -- The subscriber has it; the end of the handshake is missing.
  released INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sequence, client_id)
) STRICT;
CREATE INDEX mqtt_queued_client ON mqtt_queued (client_id);

-- QoS 2 messages that were taken and not released by their sender.
CREATE TABLE mqtt_received (
  client_id TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (client_id, message_id)
) STRICT, WITHOUT ROWID;

-- Wills of the connections that stand; those found at a start are published.
CREATE TABLE mqtt_will (
  client_id TEXT PRIMARY KEY,
  -- JSON: the device as the register had it when it connected.
  device TEXT NOT NULL,
  topic TEXT NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

-- Messages that left a full queue since the session was told.
CREATE TABLE mqtt_dropped (
  client_id TEXT PRIMARY KEY,
  messages INTEGER NOT NULL
) STRICT;
