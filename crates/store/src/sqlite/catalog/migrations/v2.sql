-- Version 2 of the catalog. Once released, this file never changes: a new version is a new file.

-- Keys with roles, and the audit log.

-- A key may have several secrets while it is rotated, so they have a table of their own. Keys of version 1 could do
-- everything, and still can.
ALTER TABLE keys RENAME TO keys_of_version_1;

-- created_by: an actor as the audit log names it; NULL for the first start.
CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('read', 'write', 'admin')),
    space_id TEXT REFERENCES spaces (id),
    created_at INTEGER NOT NULL,
    created_by TEXT,
    expires_at INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE INDEX keys_newest ON keys (created_at DESC, id DESC);
CREATE INDEX keys_of_space ON keys (space_id, created_at DESC, id DESC) WHERE space_id IS NOT NULL;

-- ends_at: NULL for the newest secret of a key, of which there is exactly one.
CREATE TABLE key_secrets (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key_id TEXT NOT NULL REFERENCES keys (id),
    ends_at INTEGER
) STRICT;

CREATE INDEX key_secrets_of_key ON key_secrets (key_id);
CREATE UNIQUE INDEX key_secrets_one_newest ON key_secrets (key_id) WHERE ends_at IS NULL;

INSERT INTO keys (id, name, role, created_at) SELECT id, name, 'admin', created_at FROM keys_of_version_1;
INSERT INTO key_secrets (hash, key_id) SELECT hash, id FROM keys_of_version_1;
DROP TABLE keys_of_version_1;

-- What it was done to may be gone, so an entry refers to no row of it. The order of the rowids is that of the commits.
CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    space_id TEXT,
    collection_id TEXT,
    connector_id TEXT,
    sync_id TEXT,
    key_id TEXT,
    fields TEXT NOT NULL
) STRICT;

CREATE INDEX audit_newest ON audit (at DESC, id DESC);

-- Secrets and schedules of connectors. secrets: an object of sealed secrets by the JSON Pointer of their field; the config
-- has nothing at their places. A begun sync keeps them within `claimed`. schedule: JSON, null for none.
ALTER TABLE connectors ADD COLUMN secrets TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connectors ADD COLUMN schedule TEXT NOT NULL DEFAULT 'null';
CREATE INDEX connectors_secret ON connectors (id) WHERE secrets <> '{}';

-- Removal of records, and lists narrowed by name or status.

-- What is still to be removed: the records of a connector, which may be deleted by now, or those of one of its streams.
-- No sync of the connector begins before. A number is never used twice, so that "done" cannot hit another purge.
CREATE TABLE purges (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    store_id TEXT NOT NULL,
    connector_id TEXT NOT NULL,
    stream TEXT
) STRICT;

CREATE UNIQUE INDEX purges_once ON purges (connector_id, coalesce(stream, ''));
CREATE INDEX purges_of_store ON purges (store_id);

CREATE INDEX spaces_by_name ON spaces (name, created_at DESC, id DESC);
CREATE INDEX collections_by_name ON collections (space_id, name, created_at DESC, id DESC);
CREATE INDEX connectors_by_name ON connectors (space_id, collection_id, name, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX syncs_by_status ON syncs (connector_id, status, created_at DESC, id DESC);
