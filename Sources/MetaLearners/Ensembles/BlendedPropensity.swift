import LinearEstimators
import MetaLearnersCore

/// The stacked propensities of all arms, in one fold: those of each arm against the control, put together by their odds
/// (Begg & Gray 1984).
struct BlendedPropensity: FittedEstimator {
    /// What an arm's propensity is made of beside linear functions.
    private struct Pair: Sendable {
        let logitWeights: [Double]
        let treesWeight: Double
        /// Nil where they count nothing.
        let trees: (any FittedEstimator)?
    }

    private let pairs: [Pair]
    /// For each arm, the level and then the log-odds.
    private let functions: LinearFunctions

    var backendName: String { BlendedModel.backendName }
    var outputCount: Int { pairs.count + 1 }

    init(_ blends: [ShareBlend], _ design: DesignMatrix) {
        pairs = blends.map { blend in
            Pair(
                logitWeights: blend.logitWeights, treesWeight: blend.treesWeight,
                trees: blend.treesWeight > 0 ? blend.trees : nil)
        }
        functions = design.functions(blends.flatMap { [$0.level] + $0.logits })
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        let shares = try pairShares(features, rows: rows, context)
        let count = shares.first?.count ?? 0
        var result: [Double] = []
        result.reserveCapacity(count * outputCount)
        for row in 0..<count {
            let odds = shares.map { $0[row] / (1 - $0[row]) }
            let total = 1 + odds.reduce(0, +)
            result.append(1 / total)
            result += odds.map { $0 / total }
        }
        return result
    }

    /// For each arm, the probability of the arm among itself and the control.
    func pairShares(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [[Double]]
    {
        let values = try functions.values(features, rows: rows, context)
        let count = rows?.count ?? features.rowCount
        var first = 0
        var shares: [[Double]] = []
        for pair in pairs {
            var sums = (0..<count).map { values[$0 * functions.count + first] }
            for (index, weight) in pair.logitWeights.enumerated() where weight > 0 {
                for row in 0..<count {
                    sums[row] +=
                        weight * ShareBlend.logistic(values[row * functions.count + first + 1 + index])
                }
            }
            if let trees = pair.trees {
                let classes = try trees.predict(features, rows: rows, context)
                for row in 0..<count { sums[row] += pair.treesWeight * classes[2 * row + 1] }
            }
            shares.append(sums.map(ShareBlend.clipped))
            first += 1 + pair.logitWeights.count
        }
        return shares
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(BlendedModel.Kind.propensity.rawValue)
        writer.write(UInt64(pairs.count))
        for pair in pairs {
            writer.write(pair.logitWeights)
            writer.write(pair.treesWeight)
            writer.write(pair.trees != nil)
            pair.trees?.encodeNamed(to: &writer)
        }
        functions.encode(to: &writer)
    }

    /// Reads what `encode` wrote after the kind.
    init(from reader: inout BinaryReader, _ registry: EstimatorRegistry) throws(MetaLearnersError) {
        var pairs: [Pair] = []
        for _ in 0..<(try reader.readCount(elementSize: 17)) {
            let weights = try reader.readDoubles()
            let treesWeight = try reader.readDouble()
            guard (weights + [treesWeight]).allSatisfy(\.isFinite) else {
                throw BinaryReader.corrupt("the weights of a propensity make no sense")
            }
            let trees =
                try reader.readBool() ? try registry.decodeNamed(from: &reader, outputCount: 2) : nil
            pairs.append(Pair(logitWeights: weights, treesWeight: treesWeight, trees: trees))
        }
        self.pairs = pairs
        functions = try LinearFunctions(from: &reader)
        guard !pairs.isEmpty, functions.count == pairs.reduce(0, { $0 + 1 + $1.logitWeights.count }) else {
            throw BinaryReader.corrupt("the functions of a propensity are not those of its arms")
        }
    }
}
