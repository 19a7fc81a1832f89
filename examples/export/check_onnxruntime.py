"""Predicts all pupils in onnxruntime by the exported graph, and compares with what the library predicted."""
import csv
import sys

import numpy as np
import onnxruntime

folder, data = sys.argv[1:]
pupils = list(csv.DictReader(open(data, encoding="utf-8")))
session = onnxruntime.InferenceSession(f"{folder}/gain.onnx")
feed = {}
for column in session.get_inputs():
    values = [pupil[column.name] for pupil in pupils]
    kind = object if column.type == "tensor(string)" else float
    feed[column.name] = np.array(values, dtype=kind)[:, None]
(found,) = session.run(["cate"], feed)
expected = [float(row["cate"]) for row in csv.DictReader(open(f"{folder}/predicted.csv", encoding="utf-8"))]
difference = np.abs(found[:, 0] - expected).max()
print(f"onnxruntime: {len(found)} pupils, largest difference {'below 1e-12' if difference < 1e-12 else difference}")
