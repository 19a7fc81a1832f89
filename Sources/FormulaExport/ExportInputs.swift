import MetaLearnersCore

/// The columns of a document as code in another language reads them.
struct ExportInputs {
    struct Input {
        let name: String
        /// The levels of a category, whose places are their codes; nil for numbers.
        let levels: [String]?
        /// The codes of levels that count as missing.
        let missingCodes: Set<Int>
        /// Numbers that count as missing, ascending.
        let missingNumbers: [Double]

        /// The codes of the levels that do not count as missing.
        var knownCodes: [Int] { (levels ?? []).indices.filter { !missingCodes.contains($0) } }
    }

    let inputs: [Input]
    /// Whether a level that training did not have has no prediction, rather than being missing.
    let refusesUnseen: Bool
    /// Texts that count as missing.
    let missingTexts: [String]

    init(_ document: FormulaDocument) {
        let missing = MissingValues(document.missingValues)
        inputs = document.schema.fields.map { field in
            guard case .categorical(let levels) = field.kind else {
                return Input(
                    name: field.name, levels: nil, missingCodes: [], missingNumbers: missing.numbers.sorted())
            }
            return Input(
                name: field.name, levels: levels,
                missingCodes: Set(levels.indices.filter { missing.contains(levels[$0]) }), missingNumbers: [])
        }
        refusesUnseen = document.schema.unseenLevels == .error
        missingTexts = missing.texts.sorted()
    }

    /// The names of outputs in a language that has those of inputs beside them: `_` behind one that an input has already,
    /// whatever the case of its letters.
    func outputNames(_ names: [String]) -> [String] {
        var taken = Set(inputs.map { $0.name.lowercased() })
        return names.map { name in
            var own = name
            while taken.contains(own.lowercased()) { own += "_" }
            taken.insert(own.lowercased())
            return own
        }
    }

    /// - Throws: `unsupported` for a name or a level that has a NUL byte, which `format` cannot write.
    func requireNoNUL(for format: String) throws(MetaLearnersError) {
        for input in inputs {
            for text in [input.name] + (input.levels ?? []) where text.utf8.contains(0) {
                throw MetaLearnersError(
                    .unsupported, at: "column '\(input.name.filter { $0 != "\0" })'",
                    "its name or one of its levels has a NUL character, which \(format) cannot have")
            }
        }
    }
}

extension DecisionTree.Rule {
    /// For a rule on levels, which of the codes below `count` go right; the rule's own `count` may be another.
    func codesGoingRight(among codes: [Int]) -> Set<Int> {
        guard case .levels(let levels, let count, let othersGoRight) = self else { return [] }
        let named = Set(levels)
        return Set(codes.filter { $0 < count ? named.contains($0) : othersGoRight })
    }
}

extension DecisionTree {
    /// How many splits the longest way has.
    var depth: Int {
        var depths = [Int](repeating: 0, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard case .split(_, _, let left, let right) = node else { continue }
            depths[left] = max(depths[left], depths[index] + 1)
            depths[right] = max(depths[right], depths[index] + 1)
        }
        return depths.max() ?? 0
    }
}

/// A number in the shortest decimal notation that is read back as the same number; nil for infinities and NaN.
func shortestDecimal(_ value: Double) -> String? { value.isFinite ? "\(value)" : nil }
