-- Version 1 of the catalog. Once released, this file never changes: a new version is a new file.
-- Ids are text, times are microseconds since 1970, and what only Inlet looks into is JSON.

CREATE TABLE identity (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE spaces (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spaces_newest ON spaces (created_at DESC, id DESC);

CREATE TABLE collections (
    space_id TEXT NOT NULL REFERENCES spaces (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    store_id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (space_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX collections_newest ON collections (space_id, created_at DESC, id DESC);

-- A deleted connector outlives its collection for a while, so it refers to no row of it.
CREATE TABLE connectors (
    id TEXT NOT NULL PRIMARY KEY,
    space_id TEXT NOT NULL,
    collection_id TEXT NOT NULL,
    store_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    config TEXT NOT NULL,
    streams TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused')),
    version INTEGER NOT NULL CHECK (version >= 1),
    fence INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

CREATE INDEX connectors_newest ON connectors (space_id, collection_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX connectors_deleted ON connectors (deleted_at) WHERE deleted_at IS NOT NULL;

-- claimed: the settings a begun sync keeps, whatever becomes of its connector's; NULL before and after.
CREATE TABLE syncs (
    id TEXT NOT NULL PRIMARY KEY,
    connector_id TEXT NOT NULL REFERENCES connectors (id),
    status TEXT NOT NULL CHECK (status IN (
        'queued', 'running', 'waiting', 'needs_approval', 'cancelling', 'succeeded', 'failed', 'cancelled'
    )),
    asked_by TEXT NOT NULL,
    mode TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    last_progress_at INTEGER,
    finished_at INTEGER,
    counts TEXT NOT NULL,
    streams TEXT NOT NULL,
    failure TEXT,
    claimed TEXT
) STRICT;

CREATE INDEX syncs_newest ON syncs (connector_id, created_at DESC, id DESC);
CREATE INDEX syncs_queue ON syncs (created_at, id) WHERE status = 'queued';

-- The two rules that no race may break: one active sync a connector, and one queued behind it.
CREATE UNIQUE INDEX syncs_one_active ON syncs (connector_id)
    WHERE status IN ('running', 'waiting', 'needs_approval', 'cancelling');
CREATE UNIQUE INDEX syncs_one_queued ON syncs (connector_id) WHERE status = 'queued';

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    scope BLOB NOT NULL PRIMARY KEY CHECK (length(scope) = 32),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    status INTEGER NOT NULL,
    location TEXT,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX idempotency_oldest ON idempotency (created_at);

-- A number is never used twice, so that "done" cannot hit another task.
CREATE TABLE tasks (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('close_connector', 'remove_store')),
    store_id TEXT NOT NULL,
    connector_id TEXT CHECK ((connector_id IS NOT NULL) = (kind = 'close_connector'))
) STRICT;

CREATE INDEX tasks_of_store ON tasks (store_id);
