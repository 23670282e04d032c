-- Version 2 of the catalog.

-- Secrets and schedules of connectors. secrets: an object of sealed secrets by the JSON Pointer of their field; the config
-- has nothing at their places. A begun sync keeps them within `claimed`. schedule: JSON, null for none.
ALTER TABLE connectors ADD COLUMN secrets TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connectors ADD COLUMN schedule TEXT NOT NULL DEFAULT 'null';
CREATE INDEX connectors_secret ON connectors (id) WHERE secrets <> '{}';
