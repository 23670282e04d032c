"""What a DuckDB file answers to a query, as JSON: ask_duckdb.py FILE SQL"""
import json, sys

import duckdb

print(json.dumps(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall()))
