"""dlt from PostgreSQL into a DuckDB file or another PostgreSQL: dlt_load.py BACKEND MODE FOLDER URL TARGET TABLE...

BACKEND is that of dlt's sql_database source: sqlalchemy (its default), pyarrow or connectorx. MODE is replace or incremental. TARGET is the file,
or the address of the database; with `parquet+` in front of that, rows are loaded as Parquet (ADBC), else as dlt chooses by itself.
"""
import sys

import dlt
from dlt.sources.sql_database import sql_database

backend, mode, folder, url, target, *tables = sys.argv[1:]
connectorx = {"backend_kwargs": {"conn": url.replace("+psycopg2", "")}} if backend == "connectorx" else {}
source = sql_database(url, table_names=tables, backend=backend, **connectorx)
if mode == "incremental":
    for name in tables:
        source.resources[name].apply_hints(primary_key="id", incremental=dlt.sources.incremental("updated_at"))
file_format = "parquet" if target.startswith("parquet+") else None
target = target.removeprefix("parquet+")
destination = dlt.destinations.postgres(target) if target.startswith("postgresql:") else dlt.destinations.duckdb(target)
pipeline = dlt.pipeline("orders", pipelines_dir=f"{folder}/pipelines", dataset_name="orders", destination=destination)
pipeline.run(source, write_disposition="merge" if mode == "incremental" else "replace", loader_file_format=file_format)
