-- Version 3 of the catalog. Once released, this file never changes: a new version is a new file.

-- Syncs that are run by lease, wait, and remember how they moved.

-- only_streams: JSON, null for all. resume_at, waits_for: of a sync that waits, until when and (JSON) for the end of which error;
-- retries: how often it has waited since it last came on. node: who runs it; NULL if nobody does, or did when it was given back.
ALTER TABLE syncs ADD COLUMN only_streams TEXT NOT NULL DEFAULT 'null';
ALTER TABLE syncs ADD COLUMN resume_at INTEGER;
ALTER TABLE syncs ADD COLUMN waits_for TEXT;
ALTER TABLE syncs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE syncs ADD COLUMN node TEXT;
ALTER TABLE syncs ADD COLUMN lease_until INTEGER;

CREATE INDEX syncs_leased ON syncs (lease_until) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_waiting ON syncs (resume_at, id) WHERE status = 'waiting';

CREATE TABLE sync_moves (
    sync_id TEXT NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    cause TEXT NOT NULL,
    code TEXT,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (sync_id, seq)
) STRICT, WITHOUT ROWID;

-- The sync of which a sync reads again what was refused.
ALTER TABLE syncs ADD COLUMN replays TEXT;

-- What a connector allows its syncs: JSON.
ALTER TABLE connectors ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';

-- Schedules that run. next_sync_at: NULL for a connector that does not sync by itself; follows: the connector whose success it
-- waits for; failures: its syncs in a row that have failed; notice: JSON, why it was paused.
ALTER TABLE connectors ADD COLUMN next_sync_at INTEGER;
ALTER TABLE connectors ADD COLUMN follows TEXT;
ALTER TABLE connectors ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connectors ADD COLUMN notice TEXT;

CREATE INDEX connectors_due ON connectors (next_sync_at, id) WHERE next_sync_at IS NOT NULL;
CREATE INDEX connectors_following ON connectors (follows) WHERE follows IS NOT NULL;

-- Webhooks, and the outbox of their deliveries.

-- A deleted webhook keeps its row, without its secrets, until its deliveries are gone. events: a JSON array, empty for all.
-- secrets: as in connectors, by the place they were sealed for; current_secret is the place of the newest, and the other one
-- ends at previous_secret_ends_at.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    space_id TEXT NOT NULL,
    collection_id TEXT,
    connector_id TEXT,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secrets TEXT NOT NULL,
    current_secret TEXT NOT NULL,
    previous_secret_ends_at INTEGER,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

CREATE INDEX webhooks_newest ON webhooks (space_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX webhooks_deleted ON webhooks (deleted_at) WHERE deleted_at IS NOT NULL;

-- next_attempt_at: NULL once it has arrived or is given up. claimed_until: while it is being sent. A number is never used twice,
-- as ids are made of it.
CREATE TABLE deliveries (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    event TEXT NOT NULL,
    sync_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    next_attempt_at INTEGER,
    claimed_until INTEGER,
    delivered_at INTEGER,
    gave_up_at INTEGER,
    gave_up_because TEXT CHECK ((gave_up_because IS NOT NULL) = (gave_up_at IS NOT NULL)),
    answered_at INTEGER,
    answer_ms INTEGER,
    answer_status INTEGER,
    answer_body TEXT,
    answer_error TEXT,
    CHECK ((next_attempt_at IS NOT NULL) + (delivered_at IS NOT NULL) + (gave_up_at IS NOT NULL) = 1)
) STRICT;

CREATE INDEX deliveries_newest ON deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX deliveries_oldest ON deliveries (created_at);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_attempt_at, number) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_claimed ON deliveries (webhook_id, claimed_until) WHERE claimed_until IS NOT NULL;

ALTER TABLE audit ADD COLUMN webhook_id TEXT;
-- Deletes that ask first.

-- approval: JSON, of a sync that asks or asked whether it may delete.
ALTER TABLE syncs ADD COLUMN approval TEXT;

-- Syncs that were ended instead of deleting: what their stores still have to take back. No sync of the connector begins before.
CREATE TABLE discards (
    sync_id TEXT NOT NULL PRIMARY KEY,
    connector_id TEXT NOT NULL,
    store_id TEXT NOT NULL
) STRICT;

CREATE INDEX discards_of_connector ON discards (connector_id);
CREATE INDEX discards_of_store ON discards (store_id);

-- Dry runs. preview: JSON, what the sync would do.
ALTER TABLE syncs ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;

CREATE TABLE previews (
    sync_id TEXT NOT NULL PRIMARY KEY REFERENCES syncs (id) ON DELETE CASCADE,
    preview TEXT NOT NULL
) STRICT;

-- Masking.

-- What masked values are hashed under, sealed as `secrets` of connectors are; NULL until the first value is masked. The
-- same for all collections and for ever, however often the key is changed that it is sealed under.
ALTER TABLE identity ADD COLUMN masking_key TEXT;

-- Syncs that undo another: which.
ALTER TABLE syncs ADD COLUMN reverts TEXT;

CREATE INDEX syncs_reverting ON syncs (reverts) WHERE reverts IS NOT NULL;

-- Connectors that are triggered by signed messages. The columns are as those of webhooks.
CREATE TABLE triggers (
    connector_id TEXT NOT NULL PRIMARY KEY REFERENCES connectors (id),
    secrets TEXT NOT NULL,
    current_secret TEXT NOT NULL,
    previous_secret_ends_at INTEGER
) STRICT, WITHOUT ROWID;
