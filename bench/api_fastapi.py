"""The peer of `bench/api`: the same list, with the same key check, from SQLite, as one would write it with FastAPI."""

import hashlib
import json
import os
import sqlite3

from fastapi import Depends, FastAPI, Header, HTTPException, Query

database = sqlite3.connect(os.environ["PEER_DATABASE"], check_same_thread=False, isolation_level=None)
database.executescript("""
    PRAGMA journal_mode = WAL;
    CREATE TABLE keys (hash BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE connectors (
        id TEXT PRIMARY KEY, space_id TEXT, collection_id TEXT, name TEXT, type TEXT, config TEXT, streams TEXT,
        status TEXT, created_at TEXT, updated_at TEXT);
    CREATE INDEX newest ON connectors (space_id, collection_id, created_at DESC, id DESC);
    CREATE TABLE syncs (id TEXT PRIMARY KEY, connector_id TEXT, status TEXT, created_at TEXT);
    CREATE INDEX syncs_newest ON syncs (connector_id, created_at DESC, id DESC);
""")
database.execute("INSERT INTO keys VALUES (?)", [hashlib.blake2b(os.environ["PEER_KEY"].encode()).digest()])
for each in json.load(open(os.environ["PEER_ANSWER"]))["data"]:
    database.execute(
        "INSERT INTO connectors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [each["id"], each["space_id"], each["collection_id"], each["name"], each["type"], json.dumps(each["config"]),
         json.dumps(each["streams"]), each["status"], each["created_at"], each["updated_at"]])

app = FastAPI()


async def key(x_api_key: str = Header()):
    digest = hashlib.blake2b(x_api_key.encode()).digest()
    if database.execute("SELECT 1 FROM keys WHERE hash = ?", [digest]).fetchone() is None:
        raise HTTPException(401)


@app.get("/v1/spaces/{space_id}/collections/{collection_id}/connectors", dependencies=[Depends(key)])
async def list_connectors(space_id: str, collection_id: str, limit: int = Query(50, ge=1, le=200)):
    rows = database.execute(
        "SELECT * FROM connectors WHERE space_id = ? AND collection_id = ? ORDER BY created_at DESC, id DESC LIMIT ?",
        [space_id, collection_id, limit]).fetchall()
    data = []
    for id, space, collection, name, type, config, streams, status, created_at, updated_at in rows:
        last = database.execute(
            "SELECT id, status FROM syncs WHERE connector_id = ? ORDER BY created_at DESC, id DESC LIMIT 1", [id]).fetchone()
        data.append({
            "id": id, "space_id": space, "collection_id": collection, "name": name, "type": type,
            "config": json.loads(config), "streams": json.loads(streams), "schedule": None, "status": status,
            "last_sync": last and {"id": last[0], "status": last[1]}, "next_sync_at": None,
            "created_at": created_at, "updated_at": updated_at})
    return {"data": data, "next_cursor": None}
