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
