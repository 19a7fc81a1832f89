"""Writes shapley.json: Shapley values of a gradient boosting of scikit-learn as the package shap computes them.

usage: pip install shap scikit-learn && python3 make_shapley.py
"""

import json
from pathlib import Path

import numpy as np
import shap
from sklearn.ensemble import GradientBoostingRegressor

random = np.random.default_rng(3)
# Trees of scikit-learn compare in single precision.
X = random.normal(size=(300, 6)).astype(np.float32).astype(np.float64)
X[:, 4] = np.round(X[:, 4])
y = X[:, 0] * X[:, 1] + np.abs(X[:, 2]) + (X[:, 4] > 0) * X[:, 3] + 0.1 * random.normal(size=300)
model = GradientBoostingRegressor(n_estimators=12, max_depth=5, learning_rate=0.3, random_state=1).fit(X, y)
rows, background = X[:15], X[200:240]

trees = []
for stage in model.estimators_[:, 0]:
    tree = stage.tree_
    trees.append(
        {
            "column": [int(column) if column >= 0 else -1 for column in tree.feature],
            "threshold": tree.threshold.tolist(),
            "left": tree.children_left.tolist(),
            "right": tree.children_right.tolist(),
            "value": tree.value[:, 0, 0].tolist(),
            "weight": tree.weighted_n_node_samples.tolist(),
        }
    )
paths = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
others = shap.TreeExplainer(model, background, feature_perturbation="interventional")


def rounded(values):
    return np.round(np.asarray(values, dtype=float), 12).tolist()


document = {
    "source": f"shap {shap.__version__}",
    "scale": model.learning_rate,
    "offset": float(model.init_.constant_[0, 0]),
    "trees": trees,
    "rows": rows.T.tolist(),
    "background": background.T.tolist(),
    "predictions": model.predict(rows).tolist(),
    "path_dependent": rounded(paths.shap_values(rows)),
    "path_dependent_base": float(np.ravel(paths.expected_value)[0]),
    "interventional": rounded(others.shap_values(rows)),
    "interventional_base": float(np.ravel(others.expected_value)[0]),
}
Path(__file__).with_name("shapley.json").write_text(json.dumps(document))
