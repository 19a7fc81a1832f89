import MetaLearnersCore

/// The row that trees in C go down by: the columns that they read, the same with −∞ for NaN, a number for leaves, and, where that
/// pays, for each set of levels that they split on whether the row's level is in it.
///
/// A split on levels is then one on a number, as all others are, and the loop over nodes has no branch: with gcc and clang such
/// trees take four fifths and half of the time (Benchmarks/export). It does not pay where there are many more sets than
/// splits on a row's ways, as in forests that are grown out.
struct CTreeRow {
    /// The columns, by their place in the row.
    let columns: [Int]
    private let places: [Int: Int]
    private let inputs: ExportInputs
    /// The sets of each category, a flag for every code and one more for what is missing.
    private var sets: [Int: [[Bool]]] = [:]
    private var setPlaces: [Int: [[Bool]: Int]] = [:]
    /// Whether splits on levels look their sets up themselves.
    private(set) var looksUpSets = false
    /// How many numbers the row has.
    private(set) var count: Int

    /// The largest table of sets, in flags.
    private static let flagLimit = 1 << 20

    init(_ graph: FormulaGraph, _ inputs: ExportInputs) {
        self.inputs = inputs
        var trees: [DecisionTree] = []
        var used: Set<Int> = []
        for node in graph.nodes {
            guard case .trees(let ensemble) = node else { continue }
            trees += ensemble.trees
            used.formUnion(node.columns)
        }
        columns = used.sorted()
        places = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, $0) })
        count = 2 * columns.count + 1
        let setLimit = min(4 * trees.reduce(0) { $0 + $1.depth }, 65_535 - min(count, 65_535))
        var flags = 0
        var found = 0
        search: for tree in trees {
            for case .split(let column, let rule, _, _) in tree.nodes {
                guard case .levels = rule else { continue }
                let set = self.flags(of: rule, column)
                guard setPlaces[column, default: [:]][set] == nil else { continue }
                setPlaces[column, default: [:]][set] = sets[column, default: []].count
                sets[column, default: []].append(set)
                found += 1
                flags += set.count
                guard found <= setLimit, flags <= Self.flagLimit else {
                    looksUpSets = true
                    break search
                }
            }
        }
        if looksUpSets { (sets, setPlaces) = ([:], [:]) }
        for column in sets.keys.sorted() {
            for (set, place) in setPlaces[column] ?? [:] { setPlaces[column]?[set] = count + place }
            count += sets[column]?.count ?? 0
        }
    }

    /// Where a column is in the row; `missingIsLow` for −∞ where it is missing.
    func place(of column: Int, missingIsLow: Bool = false) -> Int {
        (places[column] ?? 0) + (missingIsLow ? columns.count : 0)
    }

    /// Where the number for leaves is, which is never NaN.
    var leafPlace: Int { 2 * columns.count }

    /// Where the row says whether its level is in the set of a split on levels.
    func place(of rule: DecisionTree.Rule, _ column: Int) -> Int? {
        setPlaces[column]?[flags(of: rule, column)]
    }

    /// Which codes go right, and whether what is missing does.
    private func flags(of rule: DecisionTree.Rule, _ column: Int) -> [Bool] {
        guard case .levels(let levels, let ruleCount, let othersGoRight) = rule else { return [] }
        let count = (inputs.inputs[column].levels ?? []).count
        var flags = [Bool](repeating: othersGoRight, count: count + 1)
        for code in 0..<min(max(ruleCount, 0), count) { flags[code] = false }
        for level in levels where level < count { flags[level] = true }
        return flags
    }

    /// The tables that the row is filled from, and the statements that fill it.
    func source(_ name: String) -> (tables: String, body: String) {
        guard !columns.isEmpty else { return ("", "") }
        var tables = ""
        var body = "  double v[\(count)];\n"
        for (place, column) in columns.enumerated() {
            body += "  v[\(place)] = c\(column);\n"
            body += "  v[\(columns.count + place)] = c\(column) != c\(column) ? -INFINITY : c\(column);\n"
        }
        body += "  v[\(leafPlace)] = 0.0;\n"
        var first = leafPlace + 1
        for column in sets.keys.sorted() {
            let own = sets[column] ?? []
            let codes = own[0].count
            tables +=
                "/* Column \(column): for each code, and for what is missing, which sets of trees it is in. */\n"
            tables += "static const unsigned char \(name)_sets\(column)[\(codes * own.count)] = {\n"
            tables += CSourceWriter.list(
                (0..<codes).flatMap { code in own.map { $0[code] ? "1" : "0" } })
            tables += "};\n\n"
            body += """
                  {
                    const unsigned char *in = \(name)_sets\(column) + \(own.count) * (c\(column) >= 0.0 ? (int)c\(column) : \(codes - 1));
                    int i;
                    for (i = 0; i < \(own.count); ++i) v[\(first) + i] = in[i];
                  }

                """
            first += own.count
        }
        return (tables, body)
    }
}
