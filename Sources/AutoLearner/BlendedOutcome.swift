import MetaLearners
import MetaLearnersCore

/// The stacked outcome of an arm, in one fold.
struct BlendedOutcome: PropensityDependent {
    /// Where the propensity of the arm against the control is from, where the outcome depends on it.
    enum Share: Sendable {
        /// A model.
        case estimated(ShareBlend)
        /// The design of the experiment: the arm whose propensity it is, and its mean in training, which stands for it
        /// where nobody says what it is.
        case known(arm: Int, mean: Double)
    }

    enum FittedShare: Sendable {
        case none
        case estimated(BlendedPropensity)
        case known(arm: Int, mean: Double)
    }

    /// The level and, where the propensity has a part in it, what that is multiplied by.
    let functions: any FittedEstimator
    let models: MemberModels
    let share: FittedShare
    /// How near to 0 and 1 propensities may come.
    let leastShare: Double
    /// Whether it predicts the probabilities of 0 and 1.
    let isBinary: Bool

    var backendName: String { BlendedModel.backendName }
    var outputCount: Int { isBinary ? 2 : 1 }

    init(
        _ formula: MemberFormula, _ models: [MemberSum.Source: [any FittedEstimator]], fold: Int,
        share: Share, leastShare: Double, isBinary: Bool, _ design: any SharedDesign
    ) {
        self.models = MemberModels(formula, models, fold: fold)
        functions = design.model(
            of: [formula.level.linear] + (formula.share.map { [$0.linear] } ?? []))
        switch share {
        case _ where formula.share == nil: self.share = .none
        case .estimated(let blend): self.share = .estimated(BlendedPropensity([blend], design))
        case .known(let arm, let mean): self.share = .known(arm: arm, mean: mean)
        }
        self.leastShare = leastShare
        self.isBinary = isBinary
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        let shares: [Double]?
        switch share {
        case .none: shares = nil
        case .estimated(let model): shares = try model.pairShares(features, rows: rows, context)[0]
        case .known(_, let mean):
            shares = [Double](repeating: mean, count: rows?.count ?? features.rowCount)
        }
        return try predict(features, rows: rows, shares, context)
    }

    func predict(
        _ features: Table, rows: [Int32]?, knowing propensities: [[Double]], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double] {
        guard case .known(let arm, _) = share, propensities.indices.contains(arm) else {
            return try predict(features, rows: rows, context)
        }
        return try predict(
            features, rows: rows, zip(propensities[arm], propensities[0]).map { $0 / ($0 + $1) }, context)
    }

    private func predict(
        _ features: Table, rows: [Int32]?, _ shares: [Double]?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double] {
        let values = try functions.predict(features, rows: rows, context)
        let width = functions.outputCount
        let count = rows?.count ?? features.rowCount
        var level = (0..<count).map { values[$0 * width] }
        var factor = (0..<count).map { width > 1 ? values[$0 * width + 1] : 0 }
        try models.add(to: &level, &factor, features, rows: rows, times: 1, context)
        if let shares {
            for row in level.indices {
                level[row] += AutoPair.bounded(shares[row], leastShare) * factor[row]
            }
        }
        return isBinary ? level.flatMap(Self.shares) : level
    }

    /// The probabilities of 0 and 1, given what the formula says of 1.
    static func shares(_ value: Double) -> [Double] {
        let probability = min(max(value, 0), 1)
        return [1 - probability, probability]
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(BlendedModel.Kind.outcome.rawValue)
        writer.write(isBinary)
        writer.write(leastShare)
        if case .estimated(let model) = share {
            writer.write(true)
            model.encode(to: &writer)
        } else {
            writer.write(false)
        }
        models.encode(to: &writer)
        functions.encode(to: &writer)
        // (Two functions without a model of the propensity: it is known.)
        if case .known(let arm, let mean) = share {
            writer.write(UInt32(arm))
            writer.write(mean)
        }
    }

    /// Reads what `encode` wrote after the kind.
    init(from reader: inout BinaryReader, _ registry: Registry) throws(MetaLearnersError) {
        isBinary = try reader.readBool()
        leastShare = try reader.readDouble()
        var share = FittedShare.none
        var isShareOfTwo = true
        if try reader.readBool() {
            guard try reader.read(UInt8.self) == BlendedModel.Kind.propensity.rawValue else {
                throw BinaryReader.corrupt("an outcome's propensity makes no sense")
            }
            let model = try BlendedPropensity(from: &reader, registry)
            isShareOfTwo = model.outputCount == 2
            share = .estimated(model)
        }
        models = try MemberModels(from: &reader, registry)
        functions = try BlendedModel.functions(from: &reader, registry)
        if case .none = share, functions.outputCount == 2 {
            let arm = Int(try reader.read(UInt32.self))
            let mean = try reader.readDouble()
            guard arm > 0, arm < 1 << 20, mean > 0, mean < 1 else {
                throw BinaryReader.corrupt("an outcome's known propensity makes no sense")
            }
            share = .known(arm: arm, mean: mean)
        }
        self.share = share
        var hasShare = true
        if case .none = share { hasShare = false }
        guard leastShare >= 0, leastShare < 0.5, functions.outputCount == (hasShare ? 2 : 1), isShareOfTwo,
            hasShare || !models.usesShare
        else { throw BinaryReader.corrupt("a stacked outcome makes no sense") }
    }
}
