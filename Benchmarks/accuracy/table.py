"""The tables of RESULTS.md, from the files that `accuracy run` and `peers.py` wrote.

    python3 table.py FILE.csv …

A cell is compared on the runs that all learners with a number there have: the same draws. Means of squared errors over
runs; needs nothing but Python.
"""
import collections
import math
import sys

OWN = ["s", "t", "x", "r", "dr", "ra", "f", "u"]


def read(paths):
    cells = collections.defaultdict(lambda: collections.defaultdict(dict))
    facts = {}
    for path in paths:
        for line in open(path):
            cell, run, learner, error, constant, variance, _ = line.strip().split(",")
            cells[cell][learner][int(run)] = float(error)
            facts[cell, int(run)] = (float(constant), float(variance))
    return cells, facts


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def number(value):
    return f"{value:.3f}" if value < 100 else f"{value:.0f}" if value < 1e4 else f"{value:.0e}"


def group(cell):
    name = cell.split("-")[0]
    if cell.endswith("-n30000"):
        return "large"
    return "nie-wager" if len(name) == 1 else "constant" if name in ("constant", "zero") else "other"


def compare(cells, facts, kind):
    names = sorted(cell for cell in cells if group(cell) == kind and "auto" in cells[cell])
    if not names:
        return
    own = [learner for learner in OWN if any(learner in cells[cell] for cell in names)]
    print("| cell | runs | effects' variance | `auto` | " + " | ".join(f"`{learner}`" for learner in own)
          + " | runs with peers | `auto` there | best peer | ratio |")
    print("|---|---|---|" + "---|" * (len(own) + 5))
    ratios, beaten = [], []
    for cell in names:
        table = cells[cell]
        runs = set(table["auto"])
        fields = [cell, str(len(runs)), number(mean(facts[cell, run][0] for run in runs)),
                  number(mean(table["auto"].values()))]
        for learner in own:
            known = runs & set(table.get(learner, {}))
            fields.append(number(mean(table[learner][run] for run in known)) if known else "–")
            if known:
                beaten.append(mean(table["auto"][run] for run in known) / mean(table[learner][run] for run in known))
        peers = [learner for learner in table if "ml-" in learner]
        common = runs.intersection(*(table[peer] for peer in peers)) if peers else set()
        if common:
            errors = {peer: mean(table[peer][run] for run in common) for peer in peers}
            best = min(errors, key=errors.get)
            ours = mean(table["auto"][run] for run in common)
            ratios.append(ours / errors[best])
            fields += [str(len(common)), number(ours), f"{best} {number(errors[best])}", f"**{ratios[-1]:.2f}**"]
        else:
            fields += ["–"] * 4
        print("| " + " | ".join(fields) + " |")
    if ratios:
        print(f"\n`auto` beats the best peer in {sum(r < 1 for r in ratios)} of {len(ratios)} cells; its mean squared "
              f"error is {min(ratios):.2f} to {max(ratios):.2f} times the best peer's.", end=" ")
    if beaten:
        print(f"Of {len(beaten)} comparisons with single learners of ours it wins {sum(r < 1 for r in beaten)}.", end="")
    print("\n")


def constants(cells, facts):
    print("| cell | runs | `auto` / variance | best constant / variance | difference |")
    print("|---|---|---|---|---|")
    names = [cell for cell in sorted(cells) if (group(cell) == "constant" or cell.startswith("c-"))
             and "auto" in cells[cell]]
    worst = []
    for cell in names:
        known = set(cells[cell]["auto"]) & set(cells[cell].get("constant", {}))
        if not known:
            continue
        ours = mean(cells[cell]["auto"][run] / facts[cell, run][1] for run in known)
        best = mean(cells[cell]["constant"][run] / facts[cell, run][1] for run in known)
        worst.append(ours - best)
        print(f"| {cell} | {len(known)} | {ours:.4f} | {best:.4f} | {ours - best:+.4f} |")
    if worst:
        print(f"\nThe largest difference is {max(worst):+.4f}, the mean {mean(worst):+.4f}.\n")


def counterparts(cells):
    print("| learner | peer | draws | ours has the lower error | ours / theirs, geometric mean | highest |")
    print("|---|---|---|---|---|---|")
    for learner in OWN[:5]:
        for library in ["econml", "causalml"]:
            ratios = [table[learner][run] / errors for table in cells.values()
                      for run, errors in table.get(f"{library}-{learner}", {}).items() if run in table.get(learner, {})]
            if ratios:
                print(f"| `{learner}` | {library} | {len(ratios)} | {sum(r < 1 for r in ratios)} | "
                      f"{math.exp(mean(map(math.log, ratios))):.2g} | {max(ratios):.2f} |")
    print()


def main():
    cells, facts = read(sys.argv[1:])
    for kind, title in [("nie-wager", "Setups of Nie & Wager"), ("other", "Other laws"),
                        ("large", "30,000 rows: the light recipe")]:
        if any(group(cell) == kind for cell in cells):
            print(f"## {title}\n")
            compare(cells, facts, kind)
    print("## The same learner, theirs and ours on `trees`\n")
    counterparts(cells)
    print("## Effects that are the same for all\n")
    constants(cells, facts)


if __name__ == "__main__":
    main()
