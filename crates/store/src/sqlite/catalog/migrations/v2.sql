-- Version 2 of the catalog. Once released, this file never changes: a new version is a new file.

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
