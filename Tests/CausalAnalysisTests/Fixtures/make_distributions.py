"""Shares and quantiles of the distributions of test statistics, by mpmath with 90 digits (shares) and by inverting these
(quantiles), cross-checked with scipy.

Run: python3 make_distributions.py > distributions.json   (mpmath, scipy)
"""

import json

import mpmath as mp
from scipy import stats

mp.mp.dps = 90


def normal(x):
    return mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2, mp.erfc(mp.mpf(x) / mp.sqrt(2)) / 2


def student(x, df):
    x, df = mp.mpf(x), mp.mpf(df)
    # By the smaller side of the incomplete beta function, so that no digits are lost.
    tail = mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + x * x), regularized=True) / 2
    return (1 - tail, tail) if x >= 0 else (tail, 1 - tail)


def f(x, numerator, denominator):
    x, a, b = mp.mpf(x), mp.mpf(numerator), mp.mpf(denominator)
    share = a * x / (a * x + b)
    return (mp.betainc(a / 2, b / 2, 0, share, regularized=True),
            mp.betainc(a / 2, b / 2, share, 1, regularized=True))


def chi_square(x, df):
    x, df = mp.mpf(x), mp.mpf(df)
    return mp.gammainc(df / 2, 0, x / 2, regularized=True), mp.gammainc(df / 2, x / 2, mp.inf, regularized=True)


REFERENCE = {"normal": stats.norm, "student": stats.t, "f": stats.f, "chi_square": stats.chi2}
SHARES = {"normal": normal, "student": student, "f": f, "chi_square": chi_square}


def quantile(name, parameters, probability):
    """The number with that share below, by bisection on 90 digits from scipy's answer."""
    start = mp.mpf(float(REFERENCE[name].ppf(probability, *parameters)))
    low, high = start - abs(start) * mp.mpf("1e-4") - mp.mpf("1e-9"), start + abs(start) * mp.mpf("1e-4") + mp.mpf("1e-9")
    if name in ("f", "chi_square"):
        low = max(low, mp.mpf(0))
    for _ in range(110):
        middle = (low + high) / 2
        if SHARES[name](middle, *parameters)[0] < probability:
            low = middle
        else:
            high = middle
    return low


cases = []
for name, all_parameters, points in [
    ("normal", [()], [-8, -3, -1, -1e-3, 0, 0.5, 1.96, 5, 12]),
    ("student", [(1,), (2.5,), (7,), (30,), (398.6,), (20000,), (1e6,)], [-20, -2, -0.1, 0, 1e-4, 0.7, 1.96, 4, 12]),
    ("f", [(1, 1), (3, 12.5), (10, 300), (40, 20000), (7, 1e6)], [1e-3, 0.3, 0.99, 1.3, 2.5, 8]),
    ("chi_square", [(1,), (2,), (5.5,), (30,), (400,), (20000,)], [1e-3, 0.5, 4, 25, 100, 390, 450, 19900, 20500]),
]:
    for parameters in all_parameters:
        rows = []
        for x in points:
            lower, upper = SHARES[name](x, *parameters)
            # Points far out have shares that no double holds.
            if lower < mp.mpf("1e-290") or upper < mp.mpf("1e-290"):
                continue
            reference = REFERENCE[name].cdf(x, *parameters)
            assert abs(float(lower) - reference) < 1e-9, (name, parameters, x)
            rows.append([x, float(lower), float(upper)])
        quantiles = []
        for probability in [1e-10, 1e-3, 0.025, 0.3, 0.5, 0.8, 0.95, 0.975, 0.999, 1 - 2**-20]:
            if name == "student" and probability == 0.5 or name == "normal" and probability == 0.5:
                continue
            quantiles.append([probability, float(quantile(name, parameters, probability))])
        cases.append({"distribution": name, "parameters": list(parameters), "shares": rows, "quantiles": quantiles})
print(json.dumps({"cases": cases}))
