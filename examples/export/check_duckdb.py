"""Predicts all pupils in DuckDB by the exported query, and compares with what the library predicted."""
import csv
import sys

import duckdb

folder, data = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"CREATE TABLE pupils AS SELECT row_number() OVER () AS place, * FROM read_csv('{data}')")
query = open(f"{folder}/gain.sql", encoding="utf-8").read().strip().rstrip(";")
found = connection.execute(f"SELECT cate FROM ({query}) ORDER BY place").fetchall()
expected = [float(row["cate"]) for row in csv.DictReader(open(f"{folder}/predicted.csv", encoding="utf-8"))]
difference = max(abs(own - other) for (own,), other in zip(found, expected, strict=True))
print(f"DuckDB: {len(found)} pupils, largest difference {'below 1e-12' if difference < 1e-12 else difference}")
print(connection.execute(
    f"SELECT gender, round(avg(cate), 3) AS gain FROM ({query}) GROUP BY gender ORDER BY gender").fetchall())
