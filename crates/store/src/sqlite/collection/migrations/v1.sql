-- A collection's file, version 1. `docs/format.md` says what each column means.

CREATE TABLE meta (
    one               INTEGER PRIMARY KEY CHECK (one = 1),
    seed              BLOB    NOT NULL,
    next_change       INTEGER NOT NULL,
    next_generation   INTEGER NOT NULL,
    next_stream       INTEGER NOT NULL,
    compacted_through INTEGER NOT NULL,
    walked_through    INTEGER NOT NULL
) STRICT;

CREATE TABLE connectors (
    connector_id BLOB    PRIMARY KEY,
    fence        INTEGER NOT NULL,
    sync_id      BLOB,
    closed       INTEGER NOT NULL,
    inbox_bytes  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
    stream_id     INTEGER PRIMARY KEY,
    connector_id  BLOB    NOT NULL,
    name          TEXT    NOT NULL,
    shape         TEXT    NOT NULL,
    records       INTEGER NOT NULL,
    next_scope    INTEGER NOT NULL,
    swept_through BLOB,
    appends       INTEGER NOT NULL,
    copies        TEXT    NOT NULL,
    schema_version   INTEGER NOT NULL,
    schema_forgotten INTEGER NOT NULL,
    schema_learned   INTEGER NOT NULL,
    UNIQUE (connector_id, name)
) STRICT;

CREATE TABLE purged (
    connector_id BLOB    NOT NULL,
    stream       TEXT    NOT NULL,
    through      INTEGER NOT NULL,
    PRIMARY KEY (connector_id, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE schemas (
    stream_id INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    sync_id   BLOB    NOT NULL,
    at_us     INTEGER NOT NULL,
    fields    TEXT    NOT NULL,
    PRIMARY KEY (stream_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX streams_by_name ON streams (name);

CREATE TABLE scopes (
    stream_id    INTEGER NOT NULL,
    scope_id     INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    records      INTEGER NOT NULL,
    cursor       TEXT,
    listed_by    INTEGER NOT NULL,
    settled_by   INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    first_change INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    position     TEXT,
    duplicates   INTEGER NOT NULL,
    approved     INTEGER NOT NULL,
    PRIMARY KEY (stream_id, scope_id),
    UNIQUE (stream_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    k   BLOB PRIMARY KEY,
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE key_log (
    part INTEGER NOT NULL,
    k    BLOB    NOT NULL,
    row  BLOB    NOT NULL,
    PRIMARY KEY (part, k)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    first_change INTEGER PRIMARY KEY,
    stored       BLOB    NOT NULL
) STRICT;

CREATE TABLE block_index (
    first_change INTEGER PRIMARY KEY,
    last_change  INTEGER NOT NULL,
    entries      INTEGER NOT NULL,
    live         INTEGER NOT NULL,
    expired      INTEGER NOT NULL
) STRICT;

CREATE INDEX block_index_due ON block_index (first_change) WHERE entries <= expired * 2;

CREATE TABLE expired (
    change INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE seen (
    stream_id INTEGER NOT NULL,
    scope_id  INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    changes   BLOB    NOT NULL,
    PRIMARY KEY (stream_id, scope_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    sync_id          BLOB    PRIMARY KEY,
    connector_id     BLOB    NOT NULL,
    attempt          INTEGER NOT NULL,
    barren_attempts  INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    phase            TEXT    NOT NULL,
    outcome          TEXT,
    failure          TEXT,
    started_at       INTEGER NOT NULL,
    last_progress_at INTEGER NOT NULL,
    finished_at      INTEGER,
    first_change     INTEGER,
    last_change      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_by_change ON runs (connector_id, last_change) WHERE last_change IS NOT NULL;
CREATE INDEX runs_by_end ON runs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE run_streams (
    sync_id   BLOB    NOT NULL,
    place     INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    read      INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    deleted   INTEGER NOT NULL,
    rejected  INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    error     TEXT,
    PRIMARY KEY (sync_id, place),
    UNIQUE (sync_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejected (
    sync_id  BLOB    NOT NULL,
    seq      INTEGER NOT NULL,
    stream   TEXT    NOT NULL,
    scope    TEXT    NOT NULL,
    position INTEGER NOT NULL,
    code     TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    sample   TEXT    NOT NULL,
    PRIMARY KEY (sync_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE undos (
    undo       INTEGER PRIMARY KEY,
    sync_id    BLOB    NOT NULL UNIQUE,
    undone     BLOB    NOT NULL,
    collected  INTEGER NOT NULL,
    through    INTEGER NOT NULL,
    taken_back INTEGER NOT NULL,
    kept       INTEGER NOT NULL,
    done       INTEGER NOT NULL
) STRICT;

CREATE TABLE undo_keys (
    undo   INTEGER NOT NULL,
    k      BLOB    NOT NULL,
    before INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    state  INTEGER NOT NULL,
    PRIMARY KEY (undo, k)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejected_pushes (
    sync_id    BLOB    NOT NULL,
    seq        INTEGER NOT NULL,
    stream     TEXT    NOT NULL,
    key_fields TEXT    NOT NULL,
    masking    TEXT    NOT NULL,
    line       BLOB    NOT NULL,
    PRIMARY KEY (sync_id, seq)
) STRICT;

CREATE TABLE run_log (
    sync_id BLOB    NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    level   INTEGER NOT NULL,
    stream  TEXT,
    code    TEXT    NOT NULL,
    message TEXT    NOT NULL,
    PRIMARY KEY (sync_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    connector_id BLOB    NOT NULL,
    stream       TEXT    NOT NULL,
    key_fields   TEXT    NOT NULL,
    masking      TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    lines        BLOB    NOT NULL
) STRICT;

CREATE INDEX inbox_by_stream ON inbox (connector_id, stream, seq);

CREATE TABLE idempotency (
    scope       BLOB    PRIMARY KEY,
    fingerprint BLOB    NOT NULL,
    at          INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    location    TEXT,
    body        BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_time ON idempotency (at);
