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
