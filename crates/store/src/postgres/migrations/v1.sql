-- Version 1 of the catalog in PostgreSQL. Once released, this file never changes: a new version is a new file.
-- Ids are text that is compared by its bytes, times are microseconds since 1970, and what only Inlet looks into is JSON.

-- version: of these tables. works_from: the oldest version whose programs can still work with them.
CREATE TABLE format (
    one BIGINT NOT NULL PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    version BIGINT NOT NULL,
    works_from BIGINT NOT NULL
);
INSERT INTO format (version, works_from) VALUES (1, 1);

-- masking_key: what masked values are hashed under, sealed; NULL until the first value is masked.
CREATE TABLE identity (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    secret BYTEA NOT NULL CHECK (length(secret) = 32),
    created_at BIGINT NOT NULL,
    masking_key TEXT
);

CREATE TABLE spaces (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX spaces_newest ON spaces (created_at DESC, id DESC);
CREATE INDEX spaces_by_name ON spaces (name, created_at DESC, id DESC);

CREATE TABLE collections (
    space_id TEXT COLLATE "C" NOT NULL REFERENCES spaces (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    store_id TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);

CREATE INDEX collections_newest ON collections (space_id, created_at DESC, id DESC);
CREATE INDEX collections_by_name ON collections (space_id, name, created_at DESC, id DESC);

-- A deleted connector outlives its collection for a while, so it refers to no row of it. secrets: an object of sealed secrets by the
-- JSON Pointer of their field; the config has nothing at their places. schedule: JSON, null for none. policy: JSON, what its syncs may
-- do. next_sync_at: NULL for a connector that does not sync by itself; follows: the connector whose success it waits for; failures:
-- its syncs in a row that have failed; notice: JSON, why it was paused.
CREATE TABLE connectors (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    space_id TEXT COLLATE "C" NOT NULL,
    collection_id TEXT COLLATE "C" NOT NULL,
    store_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    config TEXT NOT NULL,
    streams TEXT,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'paused')),
    version BIGINT NOT NULL CHECK (version >= 1),
    fence BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    secrets TEXT NOT NULL DEFAULT '{}',
    schedule TEXT NOT NULL DEFAULT 'null',
    policy TEXT NOT NULL DEFAULT '{}',
    next_sync_at BIGINT,
    follows TEXT COLLATE "C",
    failures BIGINT NOT NULL DEFAULT 0,
    notice TEXT
);

CREATE INDEX connectors_newest ON connectors (space_id, collection_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX connectors_by_name ON connectors (space_id, collection_id, name, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX connectors_by_kind ON connectors (space_id, collection_id, kind, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX connectors_by_status ON connectors (space_id, collection_id, status, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX connectors_deleted ON connectors (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX connectors_secret ON connectors (id) WHERE secrets <> '{}';
CREATE INDEX connectors_due ON connectors (next_sync_at, id) WHERE next_sync_at IS NOT NULL;
CREATE INDEX connectors_following ON connectors (follows) WHERE follows IS NOT NULL;
CREATE INDEX connectors_of_store ON connectors (store_id);

-- claimed: the settings a begun sync keeps, whatever becomes of its connector's; NULL before and after. only_streams: JSON, null for
-- all. resume_at, waits_for: of a sync that waits, until when and (JSON) for the end of which error; retries: how often it has waited
-- since it last came on. node: who runs it; NULL if nobody does, or did when it was given back. approval: JSON, of a sync that asks or
-- asked whether it may delete. replays, reverts: the sync of which this one reads again what was refused, or that it undoes. space_id,
-- kind: the connector's, which never change. turn: of a queued sync, when it comes: spaces take turns. blocked: of a
-- queued sync, whether its connector is paused (a revert does not mind) or has an active sync.
CREATE TABLE syncs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    connector_id TEXT COLLATE "C" NOT NULL REFERENCES connectors (id),
    space_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN (
        'queued', 'running', 'waiting', 'needs_approval', 'cancelling', 'succeeded', 'failed', 'cancelled'
    )),
    asked_by TEXT NOT NULL,
    mode TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    last_progress_at BIGINT,
    finished_at BIGINT,
    counts TEXT NOT NULL,
    streams TEXT NOT NULL,
    failure TEXT,
    claimed TEXT,
    only_streams TEXT NOT NULL DEFAULT 'null',
    resume_at BIGINT,
    waits_for TEXT,
    retries BIGINT NOT NULL DEFAULT 0,
    node TEXT COLLATE "C",
    lease_until BIGINT,
    replays TEXT COLLATE "C",
    approval TEXT,
    dry_run BIGINT NOT NULL DEFAULT 0,
    reverts TEXT COLLATE "C",
    turn BIGINT NOT NULL,
    blocked BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX syncs_newest ON syncs (connector_id, created_at DESC, id DESC);
CREATE INDEX syncs_by_status ON syncs (connector_id, status, created_at DESC, id DESC);
CREATE INDEX syncs_queue ON syncs (turn, created_at, id) WHERE status = 'queued' AND blocked = 0;
CREATE INDEX syncs_queue_of_space ON syncs (space_id, turn) WHERE status = 'queued';
CREATE INDEX syncs_running_turn ON syncs (turn) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_running ON syncs (space_id, kind) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_running_of_kind ON syncs (kind) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_leased ON syncs (lease_until) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_of_node ON syncs (node, started_at, id) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_waiting ON syncs (resume_at, id) WHERE status = 'waiting';
CREATE INDEX syncs_reverting ON syncs (reverts) WHERE reverts IS NOT NULL;

-- The two rules that no race may break: one active sync a connector, and one queued behind it.
CREATE UNIQUE INDEX syncs_one_active ON syncs (connector_id)
    WHERE status IN ('running', 'waiting', 'needs_approval', 'cancelling');
CREATE UNIQUE INDEX syncs_one_queued ON syncs (connector_id) WHERE status = 'queued';

CREATE TABLE sync_moves (
    sync_id TEXT COLLATE "C" NOT NULL REFERENCES syncs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    cause TEXT NOT NULL,
    code TEXT,
    attempt BIGINT NOT NULL,
    PRIMARY KEY (sync_id, seq)
);

-- The processes that share the catalog. roles: separated by commas. lease_until: from then on it is taken for lost, unless it is
-- heard of again.
CREATE TABLE nodes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

CREATE INDEX nodes_newest ON nodes (started_at DESC, id DESC);
CREATE INDEX nodes_silent ON nodes (last_seen_at);

-- What a dry run would do: JSON.
CREATE TABLE previews (
    sync_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES syncs (id) ON DELETE CASCADE,
    preview TEXT NOT NULL
);

-- created_by: an actor as the audit log names it; NULL for the first start.
CREATE TABLE keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('read', 'write', 'admin')),
    space_id TEXT COLLATE "C" REFERENCES spaces (id),
    created_at BIGINT NOT NULL,
    created_by TEXT,
    expires_at BIGINT,
    last_used_at BIGINT
);

CREATE INDEX keys_newest ON keys (created_at DESC, id DESC);
CREATE INDEX keys_of_space ON keys (space_id, created_at DESC, id DESC) WHERE space_id IS NOT NULL;

-- ends_at: NULL for the newest secret of a key, of which there is exactly one.
CREATE TABLE key_secrets (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key_id TEXT COLLATE "C" NOT NULL REFERENCES keys (id),
    ends_at BIGINT
);

CREATE INDEX key_secrets_of_key ON key_secrets (key_id);
CREATE UNIQUE INDEX key_secrets_one_newest ON key_secrets (key_id) WHERE ends_at IS NULL;

CREATE TABLE idempotency (
    scope BYTEA NOT NULL PRIMARY KEY CHECK (length(scope) = 32),
    fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
    status BIGINT NOT NULL,
    location TEXT,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX idempotency_oldest ON idempotency (created_at);

-- What it was done to may be gone, so an entry refers to no row of it.
CREATE TABLE audit (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    space_id TEXT COLLATE "C",
    collection_id TEXT COLLATE "C",
    connector_id TEXT COLLATE "C",
    sync_id TEXT COLLATE "C",
    key_id TEXT COLLATE "C",
    webhook_id TEXT COLLATE "C",
    fields TEXT NOT NULL
);

CREATE INDEX audit_newest ON audit (at DESC, id DESC);
CREATE INDEX audit_numbers ON audit (number);

-- A number is never used twice, so that "done" cannot hit another task or purge.
CREATE TABLE tasks (
    id BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL CHECK (kind IN ('close_connector', 'remove_store')),
    store_id TEXT COLLATE "C" NOT NULL,
    connector_id TEXT COLLATE "C" CHECK ((connector_id IS NOT NULL) = (kind = 'close_connector'))
);

CREATE INDEX tasks_of_store ON tasks (store_id);

-- What is still to be removed: the records of a connector, which may be deleted by now, or those of one of its streams.
-- No sync of the connector begins before.
CREATE TABLE purges (
    id BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    store_id TEXT COLLATE "C" NOT NULL,
    connector_id TEXT COLLATE "C" NOT NULL,
    stream TEXT COLLATE "C"
);

CREATE UNIQUE INDEX purges_once ON purges (connector_id, coalesce(stream, ''));
CREATE INDEX purges_of_store ON purges (store_id);

-- Syncs that were ended instead of deleting: what their stores still have to take back. No sync of the connector begins before.
CREATE TABLE discards (
    sync_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    connector_id TEXT COLLATE "C" NOT NULL,
    store_id TEXT COLLATE "C" NOT NULL
);

CREATE INDEX discards_of_connector ON discards (connector_id);
CREATE INDEX discards_of_store ON discards (store_id);

-- A deleted webhook keeps its row, without its secrets, until its deliveries are gone. events: a JSON array, empty for all.
-- secrets: as in connectors, by the place they were sealed for; current_secret is the place of the newest, and the other one
-- ends at previous_secret_ends_at.
CREATE TABLE webhooks (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    space_id TEXT COLLATE "C" NOT NULL,
    collection_id TEXT COLLATE "C",
    connector_id TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secrets TEXT NOT NULL,
    current_secret TEXT NOT NULL,
    previous_secret_ends_at BIGINT,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE INDEX webhooks_newest ON webhooks (space_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX webhooks_deleted ON webhooks (deleted_at) WHERE deleted_at IS NOT NULL;

-- next_attempt_at: NULL once it has arrived or is given up. claimed_until: while it is being sent. A number is never used twice,
-- as ids are made of it.
CREATE SEQUENCE delivery_numbers;

CREATE TABLE deliveries (
    number BIGINT NOT NULL UNIQUE,
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    webhook_id TEXT COLLATE "C" NOT NULL REFERENCES webhooks (id),
    event TEXT NOT NULL,
    sync_id TEXT COLLATE "C" NOT NULL,
    payload TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    next_attempt_at BIGINT,
    claimed_until BIGINT,
    delivered_at BIGINT,
    gave_up_at BIGINT,
    gave_up_because TEXT CHECK ((gave_up_because IS NOT NULL) = (gave_up_at IS NOT NULL)),
    answered_at BIGINT,
    answer_ms BIGINT,
    answer_status BIGINT,
    answer_body TEXT,
    answer_error TEXT,
    CHECK (num_nonnulls(next_attempt_at, delivered_at, gave_up_at) = 1)
);

CREATE INDEX deliveries_newest ON deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX deliveries_oldest ON deliveries (created_at);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_attempt_at, number) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_claimed ON deliveries (webhook_id, claimed_until) WHERE claimed_until IS NOT NULL;

-- Connectors that are triggered by signed messages. The columns are as those of webhooks.
CREATE TABLE triggers (
    connector_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES connectors (id),
    secrets TEXT NOT NULL,
    current_secret TEXT NOT NULL,
    previous_secret_ends_at BIGINT
);
