import LinearEstimators
import MetaLearnersCore

/// The stacked outcome of an arm, in one fold.
struct BlendedOutcome: FittedEstimator {
    /// The level and, where the propensity has a part in it, what that is multiplied by.
    private let functions: LinearFunctions
    private let trees: FormulaTrees
    /// The propensity of the arm against the control; nil where it has no part.
    private let share: BlendedPropensity?
    /// How near to 0 and 1 propensities may come.
    private let leastShare: Double
    /// Whether it predicts the probabilities of 0 and 1.
    private let isBinary: Bool

    var backendName: String { BlendedModel.backendName }
    var outputCount: Int { isBinary ? 2 : 1 }

    /// - Parameter share: nil where propensities are known; then `knownShare` stands for it.
    init(
        _ formula: EnsembleFormula, _ models: [EnsemblePart.Source: [any FittedEstimator]], fold: Int,
        share: ShareBlend?, knownShare: Double, leastShare: Double, isBinary: Bool, _ design: DesignMatrix
    ) {
        var formula = formula
        if share == nil, let part = formula.share {
            formula.level.add(part, times: knownShare)
            formula.share = nil
        }
        trees = FormulaTrees(formula, models, fold: fold)
        functions = design.functions([formula.level.linear] + (formula.share.map { [$0.linear] } ?? []))
        self.share = formula.share == nil ? nil : share.map { BlendedPropensity([$0], design) }
        self.leastShare = leastShare
        self.isBinary = isBinary
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        let values = try functions.values(features, rows: rows, context)
        let width = functions.count
        let count = rows?.count ?? features.rowCount
        var level = (0..<count).map { values[$0 * width] }
        var factor = (0..<count).map { width > 1 ? values[$0 * width + 1] : 0 }
        try trees.add(to: &level, &factor, features, rows: rows, times: 1, context)
        if let share {
            let shares = try share.pairShares(features, rows: rows, context)[0]
            for row in level.indices {
                level[row] += AutoPair.bounded(shares[row], leastShare) * factor[row]
            }
        }
        guard isBinary else { return level }
        return level.flatMap { value in
            let probability = min(max(value, 0), 1)
            return [1 - probability, probability]
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(BlendedModel.Kind.outcome.rawValue)
        writer.write(isBinary)
        writer.write(leastShare)
        writer.write(share != nil)
        share?.encode(to: &writer)
        trees.encode(to: &writer)
        functions.encode(to: &writer)
    }

    /// Reads what `encode` wrote after the kind.
    init(from reader: inout BinaryReader, _ registry: EstimatorRegistry) throws(MetaLearnersError) {
        isBinary = try reader.readBool()
        leastShare = try reader.readDouble()
        var share: BlendedPropensity?
        if try reader.readBool() {
            guard try reader.read(UInt8.self) == BlendedModel.Kind.propensity.rawValue else {
                throw BinaryReader.corrupt("an outcome's propensity makes no sense")
            }
            share = try BlendedPropensity(from: &reader, registry)
        }
        self.share = share
        trees = try FormulaTrees(from: &reader, registry)
        functions = try LinearFunctions(from: &reader)
        guard leastShare >= 0, leastShare < 0.5, functions.count == (share == nil ? 1 : 2),
            share?.outputCount ?? 2 == 2, share != nil || !trees.usesShare
        else { throw BinaryReader.corrupt("a stacked outcome makes no sense") }
    }
}
