-- Version 4 of the catalog. Once released, this file never changes: a new version is a new file.

-- The processes that share the catalog. roles: separated by commas. lease_until: from then on it is taken for lost, unless it is
-- heard of again.
CREATE TABLE nodes (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    roles TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE INDEX nodes_newest ON nodes (started_at DESC, id DESC);
CREATE INDEX nodes_silent ON nodes (last_seen_at);

-- What a node runs.
CREATE INDEX syncs_of_node ON syncs (node, started_at, id) WHERE status IN ('running', 'cancelling');

-- Fair claims. space_id, kind: the connector's, which never change; empty for a sync that had ended by then. turn: of a queued
-- sync, when it comes: spaces take turns. blocked: of a queued sync, whether its connector is paused (a revert does not mind) or has an
-- active sync.
ALTER TABLE syncs ADD COLUMN space_id TEXT NOT NULL DEFAULT '';
ALTER TABLE syncs ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE syncs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE syncs ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;

UPDATE syncs SET (space_id, kind) = (SELECT c.space_id, c.kind FROM connectors AS c WHERE c.id = syncs.connector_id)
    WHERE status IN ('queued', 'running', 'waiting', 'needs_approval', 'cancelling');
UPDATE syncs SET blocked = 1 WHERE status = 'queued' AND (
    EXISTS (SELECT 1 FROM syncs AS a WHERE a.connector_id = syncs.connector_id
        AND a.status IN ('running', 'waiting', 'needs_approval', 'cancelling'))
    OR reverts IS NULL AND EXISTS (SELECT 1 FROM connectors AS c WHERE c.id = syncs.connector_id AND c.status <> 'active'));

DROP INDEX syncs_queue;
CREATE INDEX syncs_queue ON syncs (turn, created_at, id) WHERE status = 'queued' AND blocked = 0;
CREATE INDEX syncs_queue_of_space ON syncs (space_id, turn) WHERE status = 'queued';
CREATE INDEX syncs_running_turn ON syncs (turn) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_running ON syncs (space_id, kind) WHERE status IN ('running', 'cancelling');
CREATE INDEX syncs_running_of_kind ON syncs (kind) WHERE status IN ('running', 'cancelling');

-- Lists of connectors by a type or a status that few of them have.
CREATE INDEX connectors_by_kind ON connectors (space_id, collection_id, kind, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX connectors_by_status ON connectors (space_id, collection_id, status, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
