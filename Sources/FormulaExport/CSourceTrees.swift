import MetaLearnersCore

/// Functions that a file of C has where something in it needs them.
enum CHelper: Int, CaseIterable {
    case known, node, trees, sets, spline, softmax, curve, median

    func source(_ name: String, looksUpSets: Bool) -> String {
        switch self {
        case .known:
            """
            /* A code that is one, else NAN; notes those that are neither codes nor missing. */
            static double \(name)_known(double code, double count, int *invalid) {
              if (code >= 0.0 && code < count && code == (double)(int)code) return code;
              if (code >= 0.0 && invalid) *invalid = 1;
              return NAN;
            }

            """
        case .node:
            """
            /* Rows above the threshold go right, and so does NaN; `left` and the node behind it are the children. */
            typedef struct {
              double threshold;
              unsigned left;
              unsigned short column;\(looksUpSets ? "\n  unsigned char has_set, others_right;" : "")
            } \(name)_node;

            """
        case .trees:
            """
            /* Takes a row down eight trees at once, so that their cache misses overlap. */
            static void \(name)_descend(const double *v, const \(name)_node *nodes, const unsigned *roots, int depth,
                                        unsigned *at) {
              int lane;
              for (lane = 0; lane < 8; ++lane) at[lane] = roots[lane];
              for (; depth > 0; --depth) {
                for (lane = 0; lane < 8; ++lane) {
                  const \(name)_node *node = nodes + at[lane];
                  at[lane] = node->left + !(v[node->column] <= node->threshold);
                }
              }
            }

            """
        case .sets:
            """
            /* Takes a row down eight trees with splits on levels, whose threshold is the place of a set: its size, then its bits. */
            static void \(name)_descend_sets(const double *v, const \(name)_node *nodes, const unsigned long *sets,
                                             const unsigned *roots, int depth, unsigned *at) {
              int lane;
              for (lane = 0; lane < 8; ++lane) at[lane] = roots[lane];
              for (; depth > 0; --depth) {
                for (lane = 0; lane < 8; ++lane) {
                  const \(name)_node *node = nodes + at[lane];
                  const double value = v[node->column];
                  unsigned right = !(value <= node->threshold);
                  if (node->has_set) {
                    const unsigned long *set = sets + (unsigned long)node->threshold;
                    right = node->others_right;
                    if (value >= 0.0 && value < (double)set[0]) {
                      const unsigned long level = (unsigned long)value;
                      right = (unsigned)(set[1 + level / 32] >> level % 32 & 1);
                    }
                  }
                  at[lane] = node->left + right;
                }
              }
            }

            """
        case .spline:
            """
            /* Column `index` of the restricted cubic spline with these knots. */
            static double \(name)_spline(double x, const double *knots, int count, int index) {
              const double inner = knots[count - 2], outer = knots[count - 1], range = outer - knots[0];
              double a, b, c;
              if (x != x) return x;
              a = x > knots[index] ? x - knots[index] : 0.0;
              b = x > inner ? x - inner : 0.0;
              c = x > outer ? x - outer : 0.0;
              return (a * a * a - b * b * b * (outer - knots[index]) / (outer - inner) +
                      c * c * c * (inner - knots[index]) / (outer - inner)) / (range * range);
            }

            """
        case .softmax:
            """
            /* The share of class `index`, given the scores of all. */
            static double \(name)_softmax(const double *scores, int count, int index) {
              double largest = -INFINITY, total = 0.0;
              int i;
              for (i = 0; i < count; ++i) largest = scores[i] > largest ? scores[i] : largest;
              for (i = 0; i < count; ++i) total += exp(scores[i] - largest);
              return exp(scores[index] - largest) / total;
            }

            """
        case .curve:
            """
            /* Straight lines between points, the outermost values beyond. */
            static double \(name)_curve(double x, const double *points, const double *values, int count) {
              int low = 0, high = count - 1;
              if (x != x) return x;
              if (x <= points[0]) return values[0];
              if (x >= points[high]) return values[high];
              while (high - low > 1) {
                const int middle = (low + high) / 2;
                if (points[middle] <= x) low = middle; else high = middle;
              }
              return values[low] + (x - points[low]) / (points[high] - points[low]) * (values[high] - values[low]);
            }

            """
        case .median:
            """
            /* The median; sorts the values. */
            static double \(name)_median(double *values, int count) {
              int i, j;
              for (i = 1; i < count; ++i) {
                const double value = values[i];
                for (j = i; j > 0 && values[j - 1] > value; --j) values[j] = values[j - 1];
                values[j] = value;
              }
              return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2.0;
            }

            """
        }
    }
}

extension CSourceWriter {
    /// Writes the tables of an ensemble and the function that adds up its leaves in order; gives the call.
    mutating func ensemble(_ trees: [DecisionTree], _ number: Int) throws(MetaLearnersError) -> String {
        guard !trees.isEmpty else { return "0.0" }
        use(.node)
        var layout = CTreeLayout(row: treeRow, inputs: inputs)
        // Trees of equal depth go down together, and those with sets by themselves.
        let shapes = trees.map { (depth: $0.depth, hasSets: treeRow.looksUpSets && $0.hasSets) }
        let order = trees.indices.sorted {
            (shapes[$0].hasSets ? 1 : 0, shapes[$0].depth, $0) < (
                shapes[$1].hasSets ? 1 : 0, shapes[$1].depth, $1
            )
        }
        var roots: [UInt32] = []
        var places: [Int] = []
        var groups: [(depth: Int, hasSets: Bool)] = []
        let nothing = try layout.append([.leaf(0)])
        var lane = 0
        for (index, tree) in order.enumerated() {
            if lane == 0 { groups.append((0, shapes[tree].hasSets)) }
            roots.append(try layout.append(trees[tree].nodes))
            places.append(tree)
            groups[groups.count - 1].depth = max(groups[groups.count - 1].depth, shapes[tree].depth)
            lane = (lane + 1) % 8
            let isLast = index + 1 == order.count || shapes[order[index + 1]].hasSets != shapes[tree].hasSets
            while isLast, lane > 0 {
                roots.append(nothing)
                places.append(trees.count)
                lane = (lane + 1) % 8
            }
        }
        let hasSets = groups.contains(where: \.hasSets)
        if hasSets { use(.sets) }
        if groups.contains(where: { !$0.hasSets }) { use(.trees) }
        let prefix = "\(name)_e\(number)"
        tables += "static const \(name)_node \(prefix)_nodes[\(layout.nodes.count)] = {\n"
        tables += Self.list(layout.nodes) + "};\n\n"
        tables += "static const double \(prefix)_leaves[\(layout.values.count)] = {\n"
        tables +=
            Self.list(layout.values.map { $0 == 0 && $0.sign == .plus ? "0" : Self.number($0) }) + "};\n\n"
        tables +=
            "static const unsigned \(prefix)_roots[\(roots.count)] = {\n" + Self.list(roots.map { "\($0)" })
        tables += "};\n\nstatic const int \(prefix)_places[\(places.count)] = {\n"
        tables += Self.list(places.map { "\($0)" }) + "};\n\n"
        tables += "static const int \(prefix)_depths[\(groups.count)] = {\n"
        tables += Self.list(groups.map { "\($0.depth)" }) + "};\n\n"
        if hasSets {
            tables += "static const unsigned long \(prefix)_sets[\(layout.sets.count)] = {\n"
            tables += Self.list(layout.sets.map { "\($0)" }) + "};\n\n"
        }
        let plain = groups.count(where: { !$0.hasSets })
        func loop(_ range: Range<Int>, _ call: String) -> String {
            guard !range.isEmpty else { return "" }
            return """
                  for (group = \(range.lowerBound); group < \(range.upperBound); ++group) {
                    \(call)
                    for (lane = 0; lane < 8; ++lane)
                      found[\(prefix)_places[8 * group + lane]] = \(prefix)_leaves[at[lane]];
                  }

                """
        }
        tables += """
            static double \(prefix)(const double *v) {
              double found[\(trees.count + 1)], sum = 0.0;
              unsigned at[8];
              int group, lane, tree;

            """
        tables += loop(
            0..<plain,
            "\(name)_descend(v, \(prefix)_nodes, \(prefix)_roots + 8 * group, \(prefix)_depths[group], at);")
        tables += loop(
            plain..<groups.count,
            "\(name)_descend_sets(v, \(prefix)_nodes, \(prefix)_sets, \(prefix)_roots + 8 * group, \(prefix)_depths[group], at);"
        )
        tables += """
              for (tree = 0; tree < \(trees.count); ++tree) sum += found[tree];
              return sum;
            }


            """
        return "\(prefix)(\(treeRow.columns.isEmpty ? "x" : "v"))"
    }
}

/// Trees while they are laid out: level by level, the children of a node side by side.
private struct CTreeLayout {
    let row: CTreeRow
    let inputs: ExportInputs
    var nodes: [String] = []
    var values: [Double] = []
    var sets: [UInt32] = []

    /// Adds a tree, and gives the place of its root.
    mutating func append(_ tree: [DecisionTree.Node]) throws(MetaLearnersError) -> UInt32 {
        let root = nodes.count
        var open = [(node: 0, place: root)]
        appendRoom(1)
        var next = 0
        while next < open.count {
            let (index, place) = open[next]
            next += 1
            guard nodes.count < Int(Int32.max) else {
                throw MetaLearnersError(.unsupported, at: "trees", "they have more than 2³¹ nodes")
            }
            switch tree[index] {
            case .leaf(let value): values[place] = value
            case .split(let column, let rule, let left, let right):
                let first = nodes.count
                appendRoom(2)
                nodes[place] = node(rule, column, first)
                // Rows whose value is there are those that are not missing.
                let isSwapped = rule == .present
                open.append((isSwapped ? right : left, first))
                open.append((isSwapped ? left : right, first + 1))
            }
        }
        return UInt32(root)
    }

    private mutating func appendRoom(_ count: Int) {
        for _ in 0..<count {
            // A leaf stays where it is: nothing is above its infinite threshold.
            nodes.append("{INFINITY, \(nodes.count), \(row.leafPlace)\(end)}")
            values.append(0)
        }
    }

    /// What ends a node that has no set of its own.
    private var end: String { row.looksUpSets ? ", 0, 0" : "" }

    private mutating func node(_ rule: DecisionTree.Rule, _ column: Int, _ left: Int) -> String {
        let place = row.place(of: column)
        switch rule {
        case .above(let threshold, let missingGoRight):
            let place = row.place(of: column, missingIsLow: !missingGoRight)
            return "{\(CSourceWriter.number(threshold)), \(left), \(place)\(end)}"
        case .missing, .present: return "{INFINITY, \(left), \(place)\(end)}"
        case .levels(let levels, let ruleCount, let othersGoRight):
            if let place = row.place(of: rule, column) { return "{0.5, \(left), \(place)\(end)}" }
            // (No code is beyond the levels of the column.)
            let count = min(max(ruleCount, 0), (inputs.inputs[column].levels ?? []).count)
            let first = sets.count
            sets.append(UInt32(clamping: count))
            sets += [UInt32](repeating: 0, count: (count + 31) / 32)
            for level in levels where level < count {
                sets[first + 1 + level / 32] |= 1 << UInt32(level % 32)
            }
            return "{\(first).0, \(left), \(place), 1, \(othersGoRight ? 1 : 0)}"
        }
    }
}

extension DecisionTree {
    fileprivate var hasSets: Bool {
        nodes.contains { if case .split(_, .levels, _, _) = $0 { true } else { false } }
    }
}
