/// Collects the trees of a fit and turns them into a model.
struct EnsembleBuilder {
    private struct Entry {
        let tree: GrownTree
        let values: [Float]
        let output: Int
        let round: Int
        let gainUnit: Double
    }

    /// What a tree takes for each of its leaves, while all are kept and once the model is made.
    static let bytesPerLeaf = 192

    private var entries: [Entry] = []
    /// What leaf values are multiplied by, so that they are within the range of Float.
    var valueScale = 1.0

    /// The loss of the rows held out, up to a constant, before the first round and after each; empty where there are none.
    var heldOutLosses: [Double] = []

    /// How many rounds there are; those beyond the last tree add nothing.
    private var rounds: Int

    /// Starts the trees of at most `rounds` rounds.
    init(rounds: Int) { self.rounds = rounds }

    /// Adds a tree.
    ///
    /// - Parameters:
    ///   - values: its leaves' values; where leaves have several, those of one score after another.
    ///   - output: the first score that it adds to.
    ///   - gainUnit: what one unit of a gain stands for.
    mutating func add(_ tree: GrownTree, values: [Float], output: Int, round: Int, gainUnit: Double) {
        entries.append(
            Entry(tree: tree, values: values, output: output, round: round, gainUnit: gainUnit))
    }

    /// Forgets the trees of all rounds after the first `rounds`.
    mutating func keep(rounds: Int) {
        self.rounds = rounds
        entries.removeAll { $0.round >= rounds }
    }

    /// The model. Of each column it keeps only the edges that some split uses.
    ///
    /// - Parameter isMultiOutput: whether leaves have a value for each score.
    func ensemble(_ matrix: BinnedMatrix, baseScores: [Double], isMultiOutput: Bool = false) -> TreeEnsemble {
        var used: [Int: Set<UInt16>] = [:]
        for split in entries.lazy.flatMap({ $0.tree.splits }) {
            let feature = split.candidate.feature
            if case .ordered(let threshold, _) = split.candidate.rule {
                used[feature, default: []].insert(threshold)
            } else {
                used[feature] = used[feature] ?? []
            }
        }
        let features = used.keys.sorted()
        var binnings: [ColumnBinning] = []
        var thresholds: [[UInt16]] = []
        for feature in features {
            let kept = (used[feature] ?? []).sorted()
            switch matrix.columns[feature].binning {
            case .numeric(let binning):
                // A threshold beyond the last edge parts missing values from all others.
                let edges = kept.filter { Int($0) <= binning.edges.count }
                binnings.append(.numeric(NumericBinning(edges: edges.map { binning.edges[Int($0) - 1] })))
                thresholds.append(edges)
            case .categorical(let binning):
                binnings.append(.categorical(binning))
                thresholds.append([])
            }
        }
        let places = Dictionary(uniqueKeysWithValues: features.enumerated().map { ($1, $0) })
        let largestGain = largestGain
        var ensemble = TreeEnsemble(
            featureCount: matrix.columns.count, baseScores: baseScores, valueScale: valueScale,
            usedFeatures: features, binnings: binnings, largestGain: largestGain, roundCount: rounds,
            isMultiOutput: isMultiOutput)
        for entry in entries {
            var tree = TreeEnsemble.NewTree(values: entry.values, output: entry.output, round: entry.round)
            for split in entry.tree.splits {
                guard let place = places[split.candidate.feature] else { continue }
                let rule: SplitCandidate.Rule
                switch split.candidate.rule {
                case .ordered(let threshold, let missingRight):
                    let rank = thresholds[place].firstIndex(of: threshold) ?? thresholds[place].count
                    rule = .ordered(threshold: UInt16(rank + 1), missingRight: missingRight)
                case .categories:
                    rule = split.candidate.rule
                }
                tree.splits.append(
                    TreeEnsemble.Split(leaf: UInt8(split.leaf), feature: UInt16(place), rule: rule))
                let gain = min(split.candidate.gain * entry.gainUnit, .greatestFiniteMagnitude)
                tree.gains.append(LeafCover(largestGain > 0 ? gain / largestGain : 0))
            }
            let total = entry.tree.leaves.reduce(0) { $0 + Double($1.hessian) }
            tree.covers = entry.tree.leaves.map { LeafCover(total > 0 ? Double($0.hessian) / total : 0) }
            ensemble.append(tree)
        }
        return ensemble
    }

    /// The largest gain of a split. Gains are squares, which may be beyond the range of Double where targets are huge.
    private var largestGain: Double {
        var largest = 0.0
        for entry in entries {
            for split in entry.tree.splits { largest = max(largest, split.candidate.gain * entry.gainUnit) }
        }
        return min(largest, .greatestFiniteMagnitude)
    }
}
