"""Known answers for RandomStream, computed from the published definitions alone:
SplitMix64 (Steele, Lea & Flood 2014) and xoshiro256** (Blackman & Vigna 2021).

Run: python3 make_random_stream.py > random_stream.json
"""

import json

MASK = (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class SplitMix64:
    def __init__(self, state):
        self.state = state & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return mix(self.state)


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Xoshiro256StarStar:
    def __init__(self, seed, path):
        mixer = SplitMix64(seed)
        for step in path:
            mixer = SplitMix64(mixer.next() ^ mix(step))
        self.s = [mixer.next() for _ in range(4)]

    def next(self):
        s = self.s
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result


# SplitMix64 from seed 1234567: published test vector.
vector = SplitMix64(1234567)
assert [vector.next() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]

cases = []
for seed, path in [(0, []), (1, []), (2**64 - 1, []), (42, [1]), (42, [2]), (42, [1, 2]), (42, [2, 1]), (7, [0])]:
    stream = Xoshiro256StarStar(seed, path)
    words = [stream.next() for _ in range(6)]
    uniform = Xoshiro256StarStar(seed, path)
    cases.append(
        {
            "seed": f"{seed:016x}",
            "path": path,
            "words": [f"{w:016x}" for w in words],
            "uniform": [(uniform.next() >> 11) * 2.0**-53 for _ in range(3)],
        }
    )
print(json.dumps({"cases": cases}, indent=1))
