// The same story, told over the types that openapi-typescript makes of the document.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./inlet.js";

const SPACE = "typescript";
const COLLECTION = "people";
const people = [
  { id: 1, name: "Ada" },
  { id: 2, name: "Grace" },
];

const client = createClient<paths>({
  baseUrl: process.argv[2],
  headers: { "X-API-Key": process.env.INLET_API_KEY },
});
const collection = { space_id: SPACE, collection_id: COLLECTION };

const space = await client.POST("/v1/spaces", { body: { name: "TypeScript", id: SPACE } });
assert.equal(space.data?.id, SPACE);
const again = await client.POST("/v1/spaces", { body: { name: "TypeScript", id: SPACE } });
assert.equal(again.error?.code, "space.already_exists");
const made = await client.POST("/v1/spaces/{space_id}/collections", {
  params: { path: { space_id: SPACE } },
  body: { name: "People", id: COLLECTION },
});
assert.equal(made.data?.records, 0);

const wanted = {
  params: { path: collection, header: { "Idempotency-Key": "once" } },
  body: { name: "Pushed", type: "external_source" },
} as const;
const CONNECTORS = "/v1/spaces/{space_id}/collections/{collection_id}/connectors";
const connector = await client.POST(CONNECTORS, wanted);
const twice = await client.POST(CONNECTORS, wanted);
assert.ok(connector.data);
assert.equal(connector.data.id, twice.data?.id, "one key makes one connector");
const path = { ...collection, connector_id: connector.data.id };
const patched = await client.PATCH(`${CONNECTORS}/{connector_id}`, {
  params: { path },
  body: { name: "Pushed by TypeScript" },
});
assert.equal(patched.data?.name, "Pushed by TypeScript");

const pushed = await client.POST(`${CONNECTORS}/{connector_id}/records`, {
  params: { path, query: { key_field: "id" } },
  body: people,
});
assert.equal(pushed.data?.accepted, 2);
const sync = await client.POST(`${CONNECTORS}/{connector_id}/sync`, { params: { path }, body: {} });
assert.ok(sync.data);
const ended = await client.GET(`${CONNECTORS}/{connector_id}/sync/{sync_id}`, {
  params: { path: { ...path, sync_id: sync.data.id }, query: { wait: "30s" } },
});
assert.equal(ended.data?.status, "succeeded");
assert.equal(ended.data.counts.created, 2);

const records = await client.GET("/v1/spaces/{space_id}/collections/{collection_id}/records", {
  params: { path: collection },
});
assert.deepEqual(records.data?.data.map((record) => record.data), people);
const changes = await client.GET("/v1/spaces/{space_id}/collections/{collection_id}/changes", {
  params: { path: collection },
});
assert.deepEqual(changes.data?.data.map((change) => change.op), ["created", "created"]);

const gone = await client.DELETE(`${CONNECTORS}/{connector_id}`, { params: { path } });
assert.equal(gone.response.status, 204);
const removed = await client.DELETE("/v1/spaces/{space_id}", {
  params: { path: { space_id: SPACE }, query: { cascade: true } },
});
assert.equal(removed.response.status, 204);
const absent = await client.GET("/v1/spaces/{space_id}", { params: { path: { space_id: SPACE } } });
assert.equal(absent.error?.code, "space.not_found");
console.log("typescript: the story holds");
