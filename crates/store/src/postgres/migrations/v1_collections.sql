-- Version 1 of the collections in PostgreSQL. Once released, this file never changes: a new version is a new file.
-- `docs/format.md` says what each column means: they are those of a collection's file, with the store in front. Nothing here counts by
-- a sequence, and every key begins with the store, so that a database that lies on many machines can divide the tables by it.
-- Of the tables that hold most, each store has a partition of its own, under a name that ends with its id: that goes at once with the store.

-- writes: transactions that have written, by which a process finds that another has. next_push: the place of the next one in the inbox.
CREATE TABLE store_meta (
    store UUID NOT NULL PRIMARY KEY,
    seed BYTEA NOT NULL CHECK (length(seed) = 8),
    next_change BIGINT NOT NULL,
    next_generation BIGINT NOT NULL,
    next_stream BIGINT NOT NULL,
    next_push BIGINT NOT NULL,
    compacted_through BIGINT NOT NULL,
    walked_through BIGINT NOT NULL,
    writes BIGINT NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE store_connectors (
    store UUID NOT NULL,
    connector_id BYTEA NOT NULL,
    fence BIGINT NOT NULL,
    sync_id BYTEA,
    closed BIGINT NOT NULL,
    inbox_bytes BIGINT NOT NULL,
    PRIMARY KEY (store, connector_id)
);

CREATE TABLE store_streams (
    store UUID NOT NULL,
    stream_id BIGINT NOT NULL,
    connector_id BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    shape TEXT NOT NULL,
    records BIGINT NOT NULL,
    next_scope BIGINT NOT NULL,
    swept_through BYTEA,
    appends BIGINT NOT NULL,
    copies TEXT NOT NULL,
    schema_version BIGINT NOT NULL,
    schema_forgotten BIGINT NOT NULL,
    schema_learned BIGINT NOT NULL,
    PRIMARY KEY (store, stream_id),
    UNIQUE (store, connector_id, name)
);

CREATE INDEX store_streams_by_name ON store_streams (store, name);

CREATE TABLE store_purged (
    store UUID NOT NULL,
    connector_id BYTEA NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    through BIGINT NOT NULL,
    PRIMARY KEY (store, connector_id, stream)
);

CREATE TABLE store_schemas (
    store UUID NOT NULL,
    stream_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    sync_id BYTEA NOT NULL,
    at_us BIGINT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (store, stream_id, version)
);

CREATE TABLE store_scopes (
    store UUID NOT NULL,
    stream_id BIGINT NOT NULL,
    scope_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    records BIGINT NOT NULL,
    cursor TEXT,
    listed_by BIGINT NOT NULL,
    settled_by BIGINT NOT NULL,
    state BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    first_change BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    position TEXT,
    duplicates BIGINT NOT NULL,
    approved BIGINT NOT NULL,
    PRIMARY KEY (store, stream_id, scope_id),
    UNIQUE (store, stream_id, name)
);

CREATE TABLE store_keys (
    store UUID NOT NULL,
    k BYTEA NOT NULL,
    row BYTEA NOT NULL,
    PRIMARY KEY (store, k)
) PARTITION BY LIST (store);

CREATE TABLE store_blocks (
    store UUID NOT NULL,
    first_change BIGINT NOT NULL,
    stored BYTEA NOT NULL,
    PRIMARY KEY (store, first_change)
) PARTITION BY LIST (store);

-- What is stored is compressed already; so are the lines of the inbox.
ALTER TABLE store_blocks ALTER COLUMN stored SET STORAGE EXTERNAL;

CREATE TABLE store_block_index (
    store UUID NOT NULL,
    first_change BIGINT NOT NULL,
    last_change BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    live BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    PRIMARY KEY (store, first_change)
);

CREATE INDEX store_block_index_due ON store_block_index (store, first_change) WHERE entries <= expired * 2;

CREATE TABLE store_expired (
    store UUID NOT NULL,
    change BIGINT NOT NULL,
    PRIMARY KEY (store, change)
) PARTITION BY LIST (store);

CREATE TABLE store_seen (
    store UUID NOT NULL,
    stream_id BIGINT NOT NULL,
    scope_id BIGINT NOT NULL,
    part BIGINT NOT NULL,
    changes BYTEA NOT NULL,
    PRIMARY KEY (store, stream_id, scope_id, part)
);

CREATE TABLE store_runs (
    store UUID NOT NULL,
    sync_id BYTEA NOT NULL,
    connector_id BYTEA NOT NULL,
    attempt BIGINT NOT NULL,
    barren_attempts BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    phase TEXT NOT NULL,
    outcome TEXT,
    failure TEXT,
    started_at BIGINT NOT NULL,
    last_progress_at BIGINT NOT NULL,
    finished_at BIGINT,
    first_change BIGINT,
    last_change BIGINT,
    PRIMARY KEY (store, sync_id)
);

CREATE INDEX store_runs_by_change ON store_runs (store, connector_id, last_change)
    WHERE last_change IS NOT NULL;
CREATE INDEX store_runs_by_end ON store_runs (store, finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE store_run_streams (
    store UUID NOT NULL,
    sync_id BYTEA NOT NULL,
    place BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL,
    read BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (store, sync_id, place),
    UNIQUE (store, sync_id, name)
);

CREATE TABLE store_rejected (
    store UUID NOT NULL,
    sync_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    reason TEXT NOT NULL,
    sample TEXT NOT NULL,
    PRIMARY KEY (store, sync_id, seq)
);

CREATE TABLE store_undos (
    store UUID NOT NULL,
    undo BIGINT NOT NULL,
    sync_id BYTEA NOT NULL,
    undone BYTEA NOT NULL,
    collected BIGINT NOT NULL,
    through BIGINT NOT NULL,
    taken_back BIGINT NOT NULL,
    kept BIGINT NOT NULL,
    done BIGINT NOT NULL,
    PRIMARY KEY (store, undo),
    UNIQUE (store, sync_id)
);

CREATE TABLE store_undo_keys (
    store UUID NOT NULL,
    undo BIGINT NOT NULL,
    k BYTEA NOT NULL,
    before BIGINT NOT NULL,
    last BIGINT NOT NULL,
    state BIGINT NOT NULL,
    PRIMARY KEY (store, undo, k)
);

CREATE TABLE store_rejected_pushes (
    store UUID NOT NULL,
    sync_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    key_fields TEXT NOT NULL,
    masking TEXT NOT NULL,
    line BYTEA NOT NULL,
    PRIMARY KEY (store, sync_id, seq)
);

CREATE TABLE store_run_log (
    store UUID NOT NULL,
    sync_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    level BIGINT NOT NULL,
    stream TEXT COLLATE "C",
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (store, sync_id, seq)
);

CREATE TABLE store_inbox (
    store UUID NOT NULL,
    seq BIGINT NOT NULL,
    connector_id BYTEA NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    key_fields TEXT NOT NULL,
    masking TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    lines BYTEA NOT NULL,
    PRIMARY KEY (store, seq)
) PARTITION BY LIST (store);

ALTER TABLE store_inbox ALTER COLUMN lines SET STORAGE EXTERNAL;
CREATE INDEX store_inbox_by_stream ON store_inbox (store, connector_id, stream, seq);

CREATE TABLE store_idempotency (
    store UUID NOT NULL,
    scope BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    at BIGINT NOT NULL,
    status BIGINT NOT NULL,
    location TEXT,
    body BYTEA NOT NULL,
    PRIMARY KEY (store, scope)
);

CREATE INDEX store_idempotency_by_time ON store_idempotency (store, at);
