"""Makes toml.json: texts, valid and damaged, with what Python's tomllib reads of them (null where it refuses them).

usage: python3 make_toml.py > toml.json      (Python 3.11 or later)
"""

import json
import math
import random
import tomllib

TEXTS = [
    "a = 1\nb.c = 2\nb.d = [1, 2.5, 'x']\n",
    "[data]\ntreatment = \"w\" # which\noutcome = 'y'\n\n[models.outcome]\nbackend = \"trees\"\ntrees = 1_000\n",
    "[a]\nb = {c = 1, d.e = true}\n[a.f]\ng = [\n  1, # one\n  [2, 3],\n]\n",
    "[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3\n[[a.e]]\nf = 4\n",
    "a = \"\"\"\nx\\\n   y\n\"z\" \"\"\"\"\"\nb = '''\n'q' \\n'''\n",
    "a = [0x1F, 0o17, 0b101, -0, +5, 1e3, -1.5E-2, inf, -inf, 6.02_2e2_3]\n",
    "\"quoted key\" = 1\n'lit.eral'.x = 2\n3.14 = 'pi'\n1e2 = 5\n",
    "a = \"\\t\\u00e9\\U0001F600\\\\ \\\"\"\n",
    "a.b.c = 1\na.b.d = 2\n[a.e]\nf = 1\n",
    "x = {}\ny = []\nz = [{a = 1}, {b = 2}]\n",
]
MARKS = list("[]{}=.,\"'#\\\n_-+ex01a ") + ["\r\n", "\"\"\"", "'''", "[[", "]]", " = ", "é", "\t", "\x01"]


class Refused(Exception):
    pass


def plain(value):
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        raise Refused
    if not isinstance(value, (bool, int, float, str)):
        raise Refused  # A date or a time, which no spec has.
    return value


def read(text):
    try:
        return {"text": text, "value": plain(tomllib.loads(text))}
    except (tomllib.TOMLDecodeError, Refused, RecursionError):
        return {"text": text, "value": None}


rng = random.Random(7)
cases = [read(text) for text in TEXTS]
seen = set(TEXTS)
accepted = 0
while len(cases) < 1500:
    text = rng.choice(TEXTS)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(text) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:place] + text[place + 1:]
        elif kind == 1:
            text = text[:place] + rng.choice(MARKS) + text[place:]
        elif kind == 2:
            text = text[:place] + rng.choice(MARKS) + text[place + 1:]
        else:
            lines = text.splitlines(keepends=True)
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(rng.choice(TEXTS).splitlines(keepends=True)))
            text = "".join(lines)
    if text in seen:
        continue
    seen.add(text)
    case = read(text)
    # Half of them valid, or nearly so.
    if case["value"] is None and accepted * 2 < len(cases):
        continue
    accepted += case["value"] is not None
    cases.append(case)
print(json.dumps(cases, ensure_ascii=True, separators=(",", ":")))
