"""Points of the Sobol sequence as SciPy has them (the direction numbers of Joe & Kuo 2008), without scrambling.

pip install scipy; python3 make_sobol.py > sobol.json
"""

import json

from scipy.stats import qmc

points = qmc.Sobol(d=21, scramble=False, bits=30).random(64)
print(json.dumps({"points": points.tolist()}))
