/**
 * The cloud's tables. What Electric may see is plain, small and stable in form (`household_feed`); what is bulk is cut by month and
 * never in the publication. A migration that has been released is never edited.
 */

import { MOST_OTHER_KEYS } from '../rows.ts'

/** Name that Electric gives to its publication; in manual mode it finds this one. */
export const PUBLICATION = 'electric_publication_default'
/** What requests run as: owns nothing and cannot bypass row-level security. */
export const EDGE_ROLE = 'homefield_edge'
/** Single-writer rows about happenings: one table a kind, all of one form. */
export const HAPPENING_TABLES = [
  'episode',
  'alert',
  'session',
  'session_kpi',
  'insight',
  'gap',
  'erasure_done',
] as const
/** Cut by month, or hypertables where TimescaleDB is installed. */
export const BULK_TABLES = ['rollup_minute', 'raw_chunk'] as const

export interface Migration {
  name: string
  sql: string
}

const happening = (table: string) => `
CREATE TABLE ${table} (
  household_id text NOT NULL,
  hub_id text NOT NULL,
  key text NOT NULL,
  subject text,
  v integer NOT NULL,
  epoch integer NOT NULL,
  seq bigint NOT NULL,
  -- Null: gone on its hub; kept so that a late copy does not bring it back.
  body jsonb,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (household_id, hub_id, key)
);
CREATE INDEX ${table}_subject ON ${table} (household_id, subject);`

const STATISTICS = `
  epoch integer NOT NULL,
  seq bigint NOT NULL,
  -- Null when the bucket is gone on its hub; values are integers of 1/scale of the metric's unit.
  n bigint,
  scale bigint,
  sum bigint,
  sum_sq bigint,
  min bigint,
  min_at bigint,
  max bigint,
  max_at bigint,
  first bigint,
  first_at bigint,
  last bigint,
  last_at bigint,
  covered_ms bigint,
  sum_v_dt bigint,
  n_diff bigint,
  sum_sq_diff bigint,
  bins bytea,`

const SERIES = `
  household_id text NOT NULL,
  hub_id text NOT NULL,
  subject text NOT NULL,
  device text NOT NULL,
  metric text NOT NULL,
  -- Milliseconds UTC of the bucket's or chunk's beginning.
  start bigint NOT NULL,`

const SERIES_KEY = 'PRIMARY KEY (household_id, subject, metric, start, device, hub_id)'

const rollup = (table: string) => `CREATE TABLE ${table} (${SERIES}${STATISTICS}\n  ${SERIES_KEY}\n);`

/** Row-level security as the second wall: a request sees its household's rows only, whatever its SQL forgot. */
const walled = (table: string) => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY household ON ${table} TO ${EDGE_ROLE}
  USING (household_id = current_setting('app.household', true))
  WITH CHECK (household_id = current_setting('app.household', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${EDGE_ROLE};`

const WALLED = [
  'hub_lane',
  'household_feed',
  'erasure',
  'sync_quarantine',
  'other_row',
  'rollup_hour',
  'rollup_day',
  'rollup_minute',
  'raw_chunk',
  'vault.subject_key',
  ...HAPPENING_TABLES,
]

const FOUNDATION = `
DO $$ BEGIN
  CREATE ROLE ${EDGE_ROLE} NOLOGIN NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT ${EDGE_ROLE} TO CURRENT_USER;

CREATE SCHEMA vault;
-- Keys of persons: leave this schema out of backups that outlive an erasure.
CREATE TABLE vault.subject_key (
  household_id text NOT NULL,
  subject text NOT NULL,
  key bytea NOT NULL,
  PRIMARY KEY (household_id, subject)
);
-- What the service signs its answers with; all instances share it.
CREATE TABLE vault.service_key (one integer PRIMARY KEY CHECK (one = 1), pem text NOT NULL, challenge_secret bytea NOT NULL);

CREATE TABLE household (
  id text PRIMARY KEY,
  name text NOT NULL,
  created_at bigint NOT NULL,
  -- Grows with every erasure: part of the shape's condition, so that the shape whose log knew the person is read by nobody again.
  feed_generation integer NOT NULL DEFAULT 1
);
-- Readers and editors in the cloud; the token itself is not kept.
CREATE TABLE cloud_token (
  id text PRIMARY KEY,
  household_id text NOT NULL REFERENCES household (id),
  hash bytea NOT NULL UNIQUE,
  role text NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
  name text NOT NULL,
  created_at bigint NOT NULL,
  revoked_at bigint
);
CREATE TABLE enrolment_code (
  hash bytea PRIMARY KEY,
  household_id text NOT NULL REFERENCES household (id),
  expires_at bigint NOT NULL,
  hub_id text
);
CREATE TABLE hub (
  id text PRIMARY KEY,
  household_id text NOT NULL REFERENCES household (id),
  name text NOT NULL,
  version text NOT NULL,
  public_key text NOT NULL UNIQUE,
  -- The key before the last rotation: knows only how to repeat that rotation.
  previous_key text,
  epoch integer NOT NULL DEFAULT 1,
  registered_at bigint NOT NULL,
  last_seen_at bigint,
  revoked_at bigint,
  -- Set when two machines showed up as this hub.
  forked_at bigint
);
CREATE INDEX hub_household ON hub (household_id);
CREATE TABLE hub_lane (
  household_id text NOT NULL,
  hub_id text NOT NULL REFERENCES hub (id),
  lane text NOT NULL,
  epoch integer NOT NULL,
  watermark bigint NOT NULL DEFAULT 0,
  token text,
  -- That of the acknowledgement before, which may have been lost; null at the beginning of an epoch.
  previous_token text,
  -- Sequence numbers and hashes of the rows of the last batch.
  recent bytea,
  -- The token that was good when a hub showed an older one: whoever shows it is another machine than that hub.
  retired_token text,
  retired_seen boolean NOT NULL DEFAULT false,
  applied_at bigint,
  rows bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  quarantined bigint NOT NULL DEFAULT 0,
  last_error text,
  PRIMARY KEY (hub_id, lane)
);

-- What goes down to the hubs. Its form never changes: everything new goes into the body.
CREATE TABLE household_feed (
  household_id text NOT NULL,
  kind text NOT NULL,
  id text NOT NULL,
  subject text,
  hlc text NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (household_id, kind, id)
);
ALTER TABLE household_feed REPLICA IDENTITY FULL;
CREATE INDEX household_feed_subject ON household_feed (household_id, subject);

CREATE TABLE erasure (
  household_id text NOT NULL,
  subject text NOT NULL,
  requested_at bigint NOT NULL,
  requested_by text NOT NULL,
  purged_at bigint NOT NULL,
  PRIMARY KEY (household_id, subject)
);

CREATE TABLE sync_quarantine (
  household_id text NOT NULL,
  hub_id text NOT NULL,
  lane text NOT NULL,
  epoch integer NOT NULL,
  seq bigint NOT NULL,
  kind text NOT NULL,
  subject text,
  reason text NOT NULL,
  row jsonb NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (hub_id, lane, epoch, seq)
);
-- Rows of kinds that this version does not know, as they came.
CREATE TABLE other_row (
  household_id text NOT NULL,
  hub_id text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  subject text,
  v integer NOT NULL,
  epoch integer NOT NULL,
  seq bigint NOT NULL,
  body jsonb,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (household_id, hub_id, kind, key)
);
${HAPPENING_TABLES.map(happening).join('\n')}
${rollup('rollup_hour')}
${rollup('rollup_day')}
CREATE INDEX rollup_hour_start ON rollup_hour (household_id, start);
CREATE INDEX rollup_day_start ON rollup_day (household_id, start);

CREATE TABLE rollup_minute (${SERIES}${STATISTICS}
  ${SERIES_KEY}
) PARTITION BY RANGE (start);
CREATE TABLE raw_chunk (${SERIES}
  epoch integer NOT NULL,
  seq bigint NOT NULL,
  until bigint,
  n bigint,
  codec text,
  -- Null: gone on its hub.
  bytes bytea,
  ${SERIES_KEY}
) PARTITION BY RANGE (start);
CREATE TABLE rollup_minute_other PARTITION OF rollup_minute DEFAULT;
CREATE TABLE raw_chunk_other PARTITION OF raw_chunk DEFAULT;

GRANT USAGE ON SCHEMA vault TO ${EDGE_ROLE};
${WALLED.map(walled).join('\n')}
ALTER TABLE hub ENABLE ROW LEVEL SECURITY;
CREATE POLICY household ON hub TO ${EDGE_ROLE} USING (household_id = current_setting('app.household', true));
GRANT SELECT, UPDATE ON hub TO ${EDGE_ROLE};
ALTER TABLE household ENABLE ROW LEVEL SECURITY;
CREATE POLICY household ON household TO ${EDGE_ROLE} USING (id = current_setting('app.household', true));
GRANT SELECT, UPDATE ON household TO ${EDGE_ROLE};
CREATE PUBLICATION ${PUBLICATION} FOR TABLE household_feed;
`

/** Keys that came after the household's own: what was sealed with them must stay readable, and goes with the same row. */
const OTHER_KEYS = `
ALTER TABLE vault.subject_key ADD COLUMN others bytea[] NOT NULL DEFAULT '{}'
  CHECK (cardinality(others) <= ${MOST_OTHER_KEYS});`

export const MIGRATIONS: readonly Migration[] = [
  { name: '0001_foundation', sql: FOUNDATION },
  { name: '0002_other_keys', sql: OTHER_KEYS },
]

/** The account that Electric reads with, where there is one: it needs this table and no other. */
export const ELECTRIC_GRANTS = `
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'electric') THEN
    GRANT SELECT ON household_feed TO electric;
  END IF;
END $$;`

/** Run instead of the month partitions where TimescaleDB is installed; uses nothing of its own licence. */
export const HYPERTABLES = BULK_TABLES.map(
  (table) => `
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = '${table}'::regclass AND relkind = 'p')
    AND NOT EXISTS (SELECT FROM ONLY ${table}) AND NOT EXISTS (SELECT FROM ${table} LIMIT 1) THEN
    CREATE TABLE ${table}_plain (LIKE ${table} INCLUDING ALL);
    DROP TABLE ${table};
    ALTER TABLE ${table}_plain RENAME TO ${table};
    PERFORM create_hypertable('${table}', 'start', chunk_time_interval => 2592000000);
    ${walled(table)}
  END IF;
END $$;`,
)
