import MetaLearners
import MetaLearnersCore

/// The stacked propensities of all arms, in one fold: those of each arm against the control, put together by their odds
/// (Begg & Gray 1984).
struct BlendedPropensity: FittedEstimator {
    /// What an arm's propensity is made of beside linear functions.
    struct Pair: Sendable {
        let logitWeights: [Double]
        let modelWeight: Double
        /// A model that classifies; nil where its weight is 0.
        let model: (any FittedEstimator)?
    }

    let pairs: [Pair]
    /// For each arm, the level and then the log-odds.
    let functions: any FittedEstimator

    var backendName: String { BlendedModel.backendName }
    var outputCount: Int { pairs.count + 1 }

    init(_ blends: [ShareBlend], _ design: any SharedDesign) {
        pairs = blends.map { blend in
            Pair(
                logitWeights: blend.logitWeights, modelWeight: blend.modelWeight,
                model: blend.modelWeight > 0 ? blend.model : nil)
        }
        functions = design.model(of: blends.flatMap { [$0.level] + $0.logits })
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        armShares(ofPairs: try pairShares(features, rows: rows, context))
    }

    /// For each arm, the probability of the arm among itself and the control.
    func pairShares(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [[Double]]
    {
        let values = try functions.predict(features, rows: rows, context)
        let count = rows?.count ?? features.rowCount
        var first = 0
        var shares: [[Double]] = []
        for pair in pairs {
            var sums = (0..<count).map { values[$0 * functions.outputCount + first] }
            for (index, weight) in pair.logitWeights.enumerated() where weight > 0 {
                for row in 0..<count {
                    sums[row] +=
                        weight * Logistic.share(values[row * functions.outputCount + first + 1 + index])
                }
            }
            if let model = pair.model {
                let classes = try model.predict(features, rows: rows, context)
                for row in 0..<count { sums[row] += pair.modelWeight * classes[2 * row + 1] }
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
            writer.write(pair.modelWeight)
            writer.write(pair.model != nil)
            pair.model?.encodeNamed(to: &writer)
        }
        functions.encode(to: &writer)
    }

    /// Reads what `encode` wrote after the kind.
    init(from reader: inout BinaryReader, _ registry: Registry) throws(MetaLearnersError) {
        var pairs: [Pair] = []
        for _ in 0..<(try reader.readCount(elementSize: 17)) {
            let weights = try reader.readDoubles()
            let modelWeight = try reader.readDouble()
            guard (weights + [modelWeight]).allSatisfy(\.isFinite) else {
                throw BinaryReader.corrupt("the weights of a propensity make no sense")
            }
            let model =
                try reader.readBool() ? try registry.decodeNamed(from: &reader, outputCount: 2) : nil
            pairs.append(Pair(logitWeights: weights, modelWeight: modelWeight, model: model))
        }
        self.pairs = pairs
        functions = try BlendedModel.functions(from: &reader, registry)
        guard !pairs.isEmpty, functions.outputCount == pairs.reduce(0, { $0 + 1 + $1.logitWeights.count })
        else {
            throw BinaryReader.corrupt("the functions of a propensity are not those of its arms")
        }
    }
}
