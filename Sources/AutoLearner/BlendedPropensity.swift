import MetaLearners
import MetaLearnersCore

/// The stacked propensities of all arms, in one fold: those of each arm against the control, put together by their odds
/// (Begg & Gray 1984).
struct BlendedPropensity: FittedEstimator {
    /// What an arm's propensity is made of beside linear functions.
    struct Pair: Sendable {
        /// The weight of the log-odds of the linear probability.
        let probabilityWeight: Double
        /// Models that classify, and the weights of the log-odds of class 1.
        let models: [(model: any FittedEstimator, weight: Double)]
    }

    let pairs: [Pair]
    /// For each arm, the log-odds and the linear probability.
    let functions: any FittedEstimator

    var backendName: String { BlendedModel.backendName }
    var outputCount: Int { pairs.count + 1 }

    init(_ blends: [ShareBlend], _ design: any SharedDesign) {
        pairs = blends.map { Pair(probabilityWeight: $0.probabilityWeight, models: $0.models) }
        functions = design.model(of: blends.flatMap { [$0.logOdds, $0.probability] })
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
        let width = functions.outputCount
        var shares: [[Double]] = []
        for (index, pair) in pairs.enumerated() {
            var scores = (0..<count).map { row in
                values[row * width + 2 * index]
                    + pair.probabilityWeight * LogOddsStack.logOdds(values[row * width + 2 * index + 1])
            }
            for (model, weight) in pair.models {
                let classes = try model.predict(features, rows: rows, context)
                for row in 0..<count { scores[row] += weight * LogOddsStack.logOdds(classes[2 * row + 1]) }
            }
            shares.append(scores.map { ShareBlend.clipped(Logistic.share($0)) })
        }
        return shares
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(BlendedModel.Kind.propensity.rawValue)
        writer.write(UInt64(pairs.count))
        for pair in pairs {
            writer.write(pair.probabilityWeight)
            writer.write(UInt64(pair.models.count))
            for (model, weight) in pair.models {
                writer.write(weight)
                model.encodeNamed(to: &writer)
            }
        }
        functions.encode(to: &writer)
    }

    /// Reads what `encode` wrote after the kind.
    init(from reader: inout BinaryReader, _ registry: Registry) throws(MetaLearnersError) {
        var pairs: [Pair] = []
        for _ in 0..<(try reader.readCount(elementSize: 16)) {
            let probabilityWeight = try reader.readDouble()
            var models: [(model: any FittedEstimator, weight: Double)] = []
            for _ in 0..<(try reader.readCount(elementSize: 9)) {
                let weight = try reader.readDouble()
                let model = try registry.decodeNamed(
                    from: &reader, outputCount: 2, excluding: BlendedModel.backendName)
                models.append((model, weight))
            }
            guard ([probabilityWeight] + models.map(\.weight)).allSatisfy(\.isFinite) else {
                throw BinaryReader.corrupt("the weights of a propensity make no sense")
            }
            pairs.append(Pair(probabilityWeight: probabilityWeight, models: models))
        }
        self.pairs = pairs
        functions = try BlendedModel.functions(from: &reader, registry)
        guard !pairs.isEmpty, functions.outputCount == 2 * pairs.count else {
            throw BinaryReader.corrupt("the functions of a propensity are not those of its arms")
        }
    }
}
