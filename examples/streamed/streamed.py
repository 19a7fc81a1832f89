"""Effects from Parquet files that need not fit into memory: drawn file by file, fitted batch by batch, predicted batch by batch.

python examples/streamed/streamed.py FOLDER [ROWS]     (pip install libmetalearners pyarrow)
"""

import resource
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import libmetalearners as mtlr

folder = Path(sys.argv[1])
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
part = 250_000

# A campaign: 20 covariates and a region, an offer that goes to the young more often, and an effect on what is spent that grows with income.
(folder / "visits").mkdir(parents=True, exist_ok=True)
for number in range(-(-rows // part)):
    random = np.random.default_rng(number)
    count = min(part, rows - number * part)
    columns = {f"x{place}": random.normal(size=count).astype(np.float32) for place in range(18)}
    columns["income"] = random.gamma(2, size=count).astype(np.float32)
    columns["age"] = random.integers(18, 90, count).astype(np.int8)
    offered = random.random(count) < np.where(columns["age"] < 40, 0.6, 0.3)
    columns["region"] = pa.array(random.choice(["north", "south", "east", "west"], count))
    columns["offer"] = pa.array(np.where(offered, "mailed", "none"))
    columns["spent"] = columns["x0"] + columns["income"] * (1 + offered) + random.normal(size=count)
    pq.write_table(pa.table(columns), folder / "visits" / f"{number:04}.parquet")

trees = mtlr.Trees(trees=50)
learner = mtlr.DRLearner(trees, propensity_model=trees, effect_model=trees, folds=2, control="none")
learner.fit(folder / "visits", y="spent", w="offer")
print(learner.average_effect())
written = learner.predict_parquet(folder / "visits", folder / "effects.parquet")
effects = pq.read_table(folder / "effects.parquet").column(0).to_numpy()
print(f"{written} effects, from {effects.min():.1f} to {effects.max():.1f}, {effects.mean():.2f} on average")
print(f"peak of resident memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
