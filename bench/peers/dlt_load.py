"""dlt from PostgreSQL into a DuckDB file: dlt_load.py BACKEND MODE FOLDER URL TABLE...

BACKEND is that of dlt's sql_database source: sqlalchemy (its default), pyarrow or connectorx. MODE is replace or incremental.
"""
import sys

import dlt
from dlt.sources.sql_database import sql_database

backend, mode, folder, url, *tables = sys.argv[1:]
connectorx = {"backend_kwargs": {"conn": url.replace("+psycopg2", "")}} if backend == "connectorx" else {}
source = sql_database(url, table_names=tables, backend=backend, **connectorx)
if mode == "incremental":
    for name in tables:
        source.resources[name].apply_hints(primary_key="id", incremental=dlt.sources.incremental("updated_at"))
pipeline = dlt.pipeline("orders", pipelines_dir=f"{folder}/pipelines", dataset_name="orders",
                        destination=dlt.destinations.duckdb(f"{folder}/loaded.duckdb"))
pipeline.run(source, write_disposition="merge" if mode == "incremental" else "replace")
