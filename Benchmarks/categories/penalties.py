"""Compares ways to penalise the levels of a category in logistic and ridge regression.

    python3 penalties.py [REPEATS] [--rows N]        (NumPy alone; prints a Markdown table)

The law is that of a confounded trial: numbers b0, b1, b2 ~ N(0, 1), treatment with probability
sigma(0.7 b0 + u), outcome b0 + 0.5 b1 + u + w (1 + 0.5 b2) + N(0, 1), where u is 0 (`noise`) or an
effect of the row's level, N(0, 0.7^2) over levels (`informative`). Levels are equally frequent, or,
under `skewed`, as frequent as 1/rank. Every method fits the propensity and one outcome model per arm
on four fifths of the rows and predicts the last fifth, so that all numbers are out of sample. The
true average effect is 1.
"""
import sys
import numpy as np

GRID = [0.3, 1, 3, 10, 30, 100, 300, 1000]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))


class Fit:
    """A penalised fit of an intercept, numbers (already standardised) and the levels of one category."""

    def __init__(self, numbers, codes, levels, target, penalty_numbers, penalty_levels, logistic):
        n, p = numbers.shape
        design = np.column_stack([np.ones(n), numbers])
        ridge = np.r_[0, np.full(p, penalty_numbers)]
        b, g = np.zeros(p + 1), np.zeros(levels)
        b[0] = np.log(target.mean() / (1 - target.mean())) if logistic else target.mean()
        def objective(b, g):
            eta = design @ b + g[codes]
            loss = np.logaddexp(0, np.where(target == 1, -eta, eta)).sum() if logistic else 0.5 * ((target - eta) ** 2).sum()
            return loss + 0.5 * (ridge * b * b).sum() + 0.5 * (penalty_levels * g * g).sum()
        value = objective(b, g)
        for _ in range(50 if logistic else 1):
            eta = design @ b + g[codes]
            mean = sigmoid(eta) if logistic else eta
            w = mean * (1 - mean) if logistic else np.ones(n)
            r = target - mean
            gb = design.T @ r - ridge * b
            gg = np.bincount(codes, r, levels) - penalty_levels * g
            # Indicators of one category never meet: their block is diagonal and is eliminated first.
            d = np.bincount(codes, w, levels) + penalty_levels
            d = np.where(d > 0, d, 1)
            cross = np.stack([np.bincount(codes, w * design[:, j], levels) for j in range(p + 1)])
            a = (design * w[:, None]).T @ design + np.diag(ridge) - (cross / d) @ cross.T
            sb = np.linalg.lstsq(a, gb - cross @ (gg / d), rcond=None)[0]
            sg = (gg - cross.T @ sb) / d
            length = 1.0
            while length > 1e-6 and objective(b + length * sb, g + length * sg) > value + 1e-12 * abs(value):
                length /= 2
            b, g = b + length * sb, g + length * sg
            new = objective(b, g)
            if abs(value - new) < 1e-9 * (1 + abs(new)):
                break
            value = new
        self.b, self.g, self.logistic = b, g, logistic

    def __call__(self, numbers, codes):
        eta = self.b[0] + numbers @ self.b[1:] + self.g[codes]
        return sigmoid(eta) if self.logistic else eta


def loss(prediction, target, logistic):
    if not logistic:
        return ((target - prediction) ** 2).sum()
    q = np.clip(prediction, 1e-15, 1 - 1e-15)
    return -(target * np.log(q) + (1 - target) * np.log(1 - q)).sum()


def shares(codes, levels):
    return np.bincount(codes, minlength=levels) / len(codes)


def standardise(train, test):
    m, s = train.mean(0), train.std(0)
    s = np.where(s > 0, s, 1)
    return (train - m) / s, (test - m) / s


def plain(level_penalty):
    def method(x, c, levels, y, x2, c2, logistic, rng):
        present = np.bincount(c, minlength=levels) > 0
        z, z2 = standardise(x, x2)
        count = present.sum()
        fit = Fit(z, c, levels, y, 1.0, level_penalty(shares(c, levels), count, len(y)), logistic)
        return fit(z2, c2)
    return method


def without(x, c, levels, y, x2, c2, logistic, rng):
    z, z2 = standardise(x, x2)
    return Fit(z, np.zeros(len(c), int), 1, y, 1.0, np.array([1e9]), logistic)(z2, np.zeros(len(c2), int))


def cross_validated(candidates):
    """candidates(shares, count, rows): a list of (penalty of numbers, penalties of levels)."""
    def method(x, c, levels, y, x2, c2, logistic, rng):
        z, z2 = standardise(x, x2)
        p = shares(c, levels)
        options = candidates(p, (p > 0).sum(), len(y))
        fold = rng.permutation(len(y)) % 5
        total = np.zeros(len(options))
        for k, (own, of_levels) in enumerate(options):
            for f in range(5):
                t, h = fold != f, fold == f
                total[k] += loss(Fit(z[t], c[t], levels, y[t], own * 0.8, of_levels * 0.8, logistic)(z[h], c[h]), y[h], logistic)
        own, of_levels = options[int(np.argmin(total))]
        return Fit(z, c, levels, y, own, of_levels, logistic)(z2, c2)
    return method


def target_encoding(x, c, levels, y, x2, c2, logistic, rng):
    """Each row's level by the mean outcome of the level in the other folds, shrunk by ten rows."""
    def means(c, y):
        n = np.bincount(c, minlength=levels)
        return (np.bincount(c, y, levels) + 10 * y.mean()) / (n + 10)
    fold = rng.permutation(len(y)) % 5
    encoded = np.empty(len(y))
    for f in range(5):
        encoded[fold == f] = means(c[fold != f], y[fold != f])[c[fold == f]]
    z, z2 = standardise(np.column_stack([x, encoded]), np.column_stack([x2, means(c, y)[c2]]))
    return Fit(z, np.zeros(len(c), int), 1, y, 1.0, np.array([1e9]), logistic)(z2, np.zeros(len(c2), int))


def moments(least, optimism):
    """Levels as random effects: the variance between them by the method of moments (DerSimonian & Laird 1986) from
    the residuals of the fit without the category; the penalty is the variance within over that."""
    def method(x, c, levels, y, x2, c2, logistic, rng):
        z, z2 = standardise(x, x2)
        null = Fit(z, np.zeros(len(c), int), 1, y, 1.0, np.array([1e9]), logistic)
        mean = null(z, np.zeros(len(c), int))
        r, w = y - mean, mean * (1 - mean) if logistic else np.ones(len(y))
        unit = 1.0 if logistic else (r * r).sum() / max(len(y) - 4, 1)
        s, v = np.bincount(c, r, levels), np.bincount(c, w, levels)
        there = v > 0
        q = (s[there] ** 2 / v[there]).sum() / unit
        k = there.sum()
        room = v.sum() - (v * v).sum() / v.sum()
        ratio = (q - (k - 1) + optimism * np.sqrt(2 * max(k - 1, 1))) / room if room > 0 else 0
        if not logistic:  # The variance of these residuals includes that between levels.
            ratio = ratio / max(1 - ratio, 1e-6)
        penalty = min(max(1 / ratio if ratio > 0 else 1e6, least), 1e6)
        return Fit(z, c, levels, y, 1.0, np.full(levels, penalty), logistic)(z2, c2)
    return method


METHODS = {
    "no category": without,
    "standardised": plain(lambda p, k, n: p * (1 - p)),
    "raw": plain(lambda p, k, n: np.ones_like(p)),
    "raw × √K": plain(lambda p, k, n: np.full_like(p, np.sqrt(k))),
    "moments": moments(1, 0),
    "moments + 1 standard error": moments(1, 1),
    "target encoding": target_encoding,
    "CV, one penalty": cross_validated(lambda p, k, n: [(n * l, n * l * p * (1 - p)) for l in 10.0 ** np.arange(1, -5, -1.0)]),
    "CV, one penalty, raw": cross_validated(lambda p, k, n: [(n * l, n * l * np.ones_like(p)) for l in 10.0 ** np.arange(1, -5, -1.0)]),
    "CV of the levels' penalty": cross_validated(lambda p, k, n: [(1.0, m * np.ones_like(p)) for m in GRID]),
}


def trial(law, n, levels, seed):
    r = np.random.default_rng(seed)
    b = r.normal(size=(n, 3))
    frequency = 1 / np.arange(1, levels + 1) if law == "skewed" else np.ones(levels)
    c = r.choice(levels, size=n, p=frequency / frequency.sum())
    u = np.zeros(levels) if law == "noise" else 0.7 * r.normal(size=levels)
    e = sigmoid(0.7 * b[:, 0] + u[c])
    w = (r.random(n) < e).astype(float)
    y = b[:, 0] + 0.5 * b[:, 1] + u[c] + w * (1 + 0.5 * b[:, 2]) + r.normal(size=n)
    result = {}
    fold = r.permutation(n) % 5
    for name, method in METHODS.items():
        e_hat, mu = np.empty(n), np.empty((2, n))
        for f in range(5):
            t, h = fold != f, fold == f
            rng = np.random.default_rng(seed + f)
            e_hat[h] = method(b[t], c[t], levels, w[t], b[h], c[h], True, rng)
            for arm in (0, 1):
                own = t & (w == arm)
                mu[arm, h] = method(b[own], c[own], levels, y[own], b[h], c[h], False, rng)
        q = np.clip(e_hat, 0.01, 0.99)
        score = mu[1] - mu[0] + w / q * (y - mu[1]) - (1 - w) / (1 - q) * (y - mu[0])
        seen = np.where(w == 1, mu[1], mu[0])
        result[name] = [loss(e_hat, w, True) / n, ((e_hat - w) ** 2).mean(), ((seen - y) ** 2).mean(),
                        score.mean() - 1, score.std() / np.sqrt(n)]
    return result


if __name__ == "__main__":
    numbers = [a for a in sys.argv[1:] if a.isdigit()]
    repeats = int(numbers[0]) if numbers else 20
    n = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else 1000
    print("| category | K | method | log loss | Brier | outcome MSE | RMSE of the ATE | mean standard error |")
    print("|---|---|---|---|---|---|---|---|")
    for law in ("informative", "noise", "skewed"):
        for levels in (2, 10, 50, 100, 200, 500, 1000):
            runs = [trial(law, n, levels, 1000 * levels + s) for s in range(repeats)]
            for name in METHODS:
                a = np.array([run[name] for run in runs])
                print(f"| {law} | {levels} | {name} | {a[:, 0].mean():.4f} | {a[:, 1].mean():.4f} | {a[:, 2].mean():.3f} | "
                      f"{np.sqrt((a[:, 3] ** 2).mean()):.3f} | {a[:, 4].mean():.3f} |", flush=True)
