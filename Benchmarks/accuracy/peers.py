"""Peers on the draws of `accuracy`: EconML's and CausalML's learners on XGBoost, everything at its defaults; EconML's on tuned LightGBM;
causal forests.

    python3 peers.py [--cells NAME,…] [--runs 20] [--output results/peers.csv] [--library econml|causalml|tuned|forests]

`tuned` gives every model of EconML's learners LightGBM with the number of leaves (4, 8, 31) and of trees (rate 0.1) that five-fold
cross-validation finds best. `forests` are stochtree's Bayesian causal forest (BCF) at its defaults, which estimates propensities itself, and EconML's
CausalForestDML of 1,000 trees with random forests for both nuisances. Appends one line per fit to the file and leaves out what is there already. Needs: pip install econml causalml
xgboost lightgbm stochtree;
swift build -c release in this folder.
"""
import argparse
import pathlib
import subprocess
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE / ".build/release/accuracy"
CELLS = [f"{setup}-n{rows}-p{columns}-s{noise}" for setup in "abcd"
         for rows, columns, noise in [(500, 6, "0.5"), (500, 12, "2"), (1000, 6, "1"), (1000, 12, "4")]]
CELLS += ["steps-n1000", "interactions-n1000", "sparse-n1000", "rare-n2000", "overlap-n1000", "binary-n1000",
          "constant-n1000", "zero-n1000"]
FOREST_CELLS = [f"{law}-n2000" for law in ("steps", "interactions", "sparse", "rare", "overlap", "binary", "curves", "pockets",
                                           "constant", "zero")]  # fmt: skip


def draw(cell, run):
    raw = subprocess.run([PROGRAM, "draw", "--cell", cell, "--run", str(run)], check=True, capture_output=True).stdout
    rows, columns, tests = np.frombuffer(raw[:24], dtype=np.int64)
    values = np.frombuffer(raw[24:], dtype=np.float64).copy()
    sizes = [rows * columns, rows, rows, tests * columns, tests]
    x, w, y, test, effects = np.split(values, np.cumsum(sizes)[:-1])
    return x.reshape(rows, columns), w.astype(int), y, test.reshape(tests, columns), effects


def econml(binary):
    from econml.dml import NonParamDML
    from econml.dr import DRLearner
    from econml.metalearners import SLearner, TLearner, XLearner
    from xgboost import XGBClassifier, XGBRegressor

    # Outcomes of 0 and 1 are regressed on: EconML's S, T and X take no classifier of the outcome.
    return {
        "econml-s": lambda: SLearner(overall_model=XGBRegressor(n_jobs=1)),
        "econml-t": lambda: TLearner(models=XGBRegressor(n_jobs=1)),
        "econml-x": lambda: XLearner(models=XGBRegressor(n_jobs=1), propensity_model=XGBClassifier(n_jobs=1)),
        "econml-dr": lambda: DRLearner(
            model_regression=XGBRegressor(n_jobs=1), model_propensity=XGBClassifier(n_jobs=1),
            model_final=XGBRegressor(n_jobs=1)),
        "econml-r": lambda: NonParamDML(
            model_y=XGBRegressor(n_jobs=1), model_t=XGBClassifier(n_jobs=1), model_final=XGBRegressor(n_jobs=1),
            discrete_treatment=True),
    }


def tuned(binary):
    import lightgbm
    from econml.dml import NonParamDML
    from econml.dr import DRLearner
    from econml.metalearners import SLearner, TLearner, XLearner
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Tuned(BaseEstimator):
        objective = "regression"

        def fit(self, X, y, sample_weight=None):
            y = np.ravel(y)
            best = (np.inf, 1, 4)
            for leaves in (4, 8, 31):
                known = {"objective": self.objective, "num_leaves": leaves, "learning_rate": 0.1, "num_threads": 1, "verbose": -1,
                         "deterministic": True, "seed": 1}  # fmt: skip
                found = lightgbm.cv(
                    known, lightgbm.Dataset(X, y, weight=sample_weight, params={"verbose": -1}), num_boost_round=1000, nfold=5, seed=1,
                    stratified=self.objective == "binary", callbacks=[lightgbm.early_stopping(30, verbose=False)],
                )  # fmt: skip
                means = next(values for key, values in found.items() if key.endswith("-mean"))
                best = min(best, (means[-1], len(means), leaves))
            known["num_leaves"] = best[2]
            self.model_ = lightgbm.train(known, lightgbm.Dataset(X, y, weight=sample_weight, params={"verbose": -1}), best[1])
            return self

    class Regressor(RegressorMixin, Tuned):
        def predict(self, X):
            return self.model_.predict(X)

    class Classifier(ClassifierMixin, Tuned):
        objective = "binary"

        def fit(self, X, y, sample_weight=None):
            self.classes_ = np.array([0, 1])
            return super().fit(X, y, sample_weight)

        def predict_proba(self, X):
            shares = self.model_.predict(X)
            return np.column_stack([1 - shares, shares])

        def predict(self, X):
            return (self.model_.predict(X) > 0.5).astype(int)

    return {
        "tuned-s": lambda: SLearner(overall_model=Regressor()),
        "tuned-t": lambda: TLearner(models=Regressor()),
        "tuned-x": lambda: XLearner(models=Regressor(), propensity_model=Classifier()),
        "tuned-dr": lambda: DRLearner(
            model_regression=Regressor(), model_propensity=Classifier(), model_final=Regressor(), cv=5, random_state=1),
        "tuned-r": lambda: NonParamDML(
            model_y=Regressor(), model_t=Classifier(), model_final=Regressor(), discrete_treatment=True, cv=5, random_state=1),
    }  # fmt: skip


def causalml(binary):
    from causalml.inference.meta import BaseDRRegressor, BaseRRegressor, BaseSRegressor, BaseTRegressor, BaseXRegressor
    from xgboost import XGBRegressor

    def make(kind):
        return lambda: kind(learner=XGBRegressor(n_jobs=1))

    return {
        "causalml-s": make(BaseSRegressor), "causalml-t": make(BaseTRegressor), "causalml-x": make(BaseXRegressor),
        "causalml-r": make(BaseRRegressor), "causalml-dr": make(BaseDRRegressor),
    }


class BCF:
    """stochtree's Bayesian causal forest with the interface of EconML."""

    def fit(self, y, w, X):
        from stochtree import BCFModel

        self.model = BCFModel()
        self.model.sample(X_train=X, Z_train=w.astype(float), y_train=y, general_params={"random_seed": 1, "num_threads": 1})

    def effect(self, X):
        return self.model.predict(X, np.ones(len(X)), type="mean", terms="cate")


def forests(binary):
    from econml.dml import CausalForestDML
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return {
        "bcf": BCF,
        "econml-forest": lambda: CausalForestDML(
            model_y=RandomForestRegressor(300, min_samples_leaf=5, random_state=1),
            model_t=RandomForestClassifier(300, min_samples_leaf=5, random_state=1),
            n_estimators=1000, discrete_treatment=True, cv=5, random_state=1, n_jobs=1),
    }  # fmt: skip


def effects_of(library, learner, x, w, y, test):
    if library != "causalml":
        learner.fit(y, w, X=x)
        return np.asarray(learner.effect(test)).ravel()
    learner.fit(X=x, treatment=w, y=y)
    return np.asarray(learner.predict(test)).ravel()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--output", default=str(HERE / "results/peers.csv"))
    parser.add_argument("--library", default="econml", choices=["econml", "causalml", "tuned", "forests"])
    options = parser.parse_args()
    path = pathlib.Path(options.output)
    known = {tuple(line.split(",")[:3]) for line in path.read_text().splitlines()} if path.exists() else set()
    learners = dict(econml=econml, causalml=causalml, tuned=tuned, forests=forests)[options.library](False)
    cells = options.cells.split(",") if options.cells else FOREST_CELLS if options.library == "forests" else CELLS
    with path.open("a") as file:
        for run in range(options.runs):
            for cell in cells:
                missing = [name for name in learners if (cell, str(run), name) not in known]
                if not missing:
                    continue
                x, w, y, test, truth = draw(cell, run)
                for name in missing:
                    np.random.seed(run)
                    start = time.process_time()
                    error = np.mean((effects_of(options.library, learners[name](), x, w, y, test) - truth) ** 2)
                    seconds = time.process_time() - start
                    print(f"{cell},{run},{name},{error},{truth.var()},{y.var()},{seconds:.3f}", file=file, flush=True)


if __name__ == "__main__":
    main()
