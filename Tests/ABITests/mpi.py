"""A fit from Python by processes of MPI: each has half of the rows, and all get the model of one.

usage: mpirun -n 2 python3 mpi.py
"""

import sys

import numpy as np
from mpi4py import MPI

import libmetalearners as mtlr

comm = MPI.COMM_WORLD
random = np.random.default_rng(1)
X = random.normal(size=(600, 3))
w = (random.uniform(size=600) < 0.5).astype(int)
y = X[:, 0] + w * (1 + X[:, 1]) + random.normal(size=600)


def learner():
    trees = mtlr.Trees(trees=10)
    return mtlr.DRLearner(outcome_model=trees, propensity_model=trees, effect_model=trees, keep_training=False, threads=1)


own = np.array_split(np.arange(600), comm.size)[comm.rank]
made = learner().fit(X[own], y[own], w[own], collective=mtlr.MPICollective())
models = comm.allgather(made._model.to_bytes())
alone = learner().fit(X, y, w)._model.to_bytes()
if comm.size < 2 or any(model != alone for model in models):
    sys.exit(f"{comm.size} processes, and {sum(model != alone for model in models)} models that are not that of one")

# What is wrong in the last process the others are told, and MPI goes on.
if comm.rank == comm.size - 1:
    y[own[0]] = np.nan
try:
    learner().fit(X[own], y[own], w[own], collective=mtlr.MPICollective())
except mtlr.errors.InvalidDataError as error:
    told = comm.allgather(str(error))
else:
    sys.exit("rows without an outcome were fitted")
if not all("outcome: 1 of" in text for text in told):
    sys.exit(f"processes were told: {told}")
