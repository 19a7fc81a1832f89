import MetaLearnersCore

/// A sum of trees, fitted: boosted ones, or the mean of sums that were drawn.
struct BoostedTreesModel: FittedEstimator {
    /// What the scores mean.
    enum Link: UInt8, Sendable {
        /// The score is the prediction.
        case identity
        /// The score is the log odds of class 1; predictions are the probabilities of 0 and 1.
        case logistic
        /// The scores are log probabilities of the classes, but for a constant.
        case softmax
        /// The score is the logarithm of the prediction.
        case exponential
    }

    let ensemble: TreeEnsemble
    let link: Link
    let warnings: [String]

    /// How the trees came about.
    enum Origin: Sendable {
        /// One round of boosting after another.
        case boosted
        /// The sum is the mean of sums of trees that were drawn from a posterior.
        case drawn
    }

    let origin: Origin

    var backendName: String {
        switch origin {
        case .boosted: TreesEstimator.backend.name
        case .drawn: BartEstimator.backend.name
        }
    }

    /// Of sums that were drawn, how many trees there are that split, over all sweeps kept.
    var summary: SpecObject {
        switch origin {
        case .boosted: SpecObject()
        case .drawn: ["drawn_trees": .integer(ensemble.trees.count)]
        }
    }

    var outputCount: Int { link == .logistic ? 2 : ensemble.baseScores.count }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try check(features, rows)
        return linked(try ensemble.scores(features, rows: rows, context))
    }

    /// Checks the columns and the rows of a prediction.
    ///
    /// - Throws: `invalidArgument`.
    func check(_ features: Table, _ rows: [Int32]?) throws(MetaLearnersError) {
        try requireColumns(ensemble.featureCount, in: features)
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
    }

    /// The predictions that scores stand for.
    func linked(_ scores: [Double]) -> [Double] {
        switch link {
        case .identity: return scores
        case .logistic:
            var shares: [Double] = []
            shares.reserveCapacity(scores.count * 2)
            for score in scores {
                shares.append(Logistic.share(-score))
                shares.append(Logistic.share(score))
            }
            return shares
        case .softmax: return softmax(scores)
        case .exponential: return scores.map(Self.mean(ofScore:))
        }
    }

    /// exp(score), which stays finite.
    static func mean(ofScore score: Double) -> Double { Double.exp(min(score, 709)) }

    private func softmax(_ scores: [Double]) -> [Double] {
        var shares = scores
        let width = outputCount
        shares.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            for first in stride(from: 0, to: buffer.count, by: width) {
                Softmax.replace(start + first, count: width)
            }
        }
        return shares
    }

    private static let formatVersion: UInt8 = 2

    func encode(to writer: inout BinaryWriter) {
        writer.write(Self.formatVersion)
        writer.write(link.rawValue)
        writer.write(warnings)
        ensemble.encode(to: &writer)
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for bytes of another version.
    init(from reader: inout BinaryReader, origin: Origin = .boosted) throws(MetaLearnersError) {
        let version = try reader.read(UInt8.self)
        guard version == Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "the trees are of format \(version); this version reads \(Self.formatVersion)",
                remedy: "use the version that wrote them, or fit again")
        }
        guard let link = Link(rawValue: try reader.read(UInt8.self)) else {
            throw BinaryReader.corrupt("a tree model is of an unknown kind")
        }
        let warnings = try reader.readStrings()
        let ensemble = try TreeEnsemble(from: &reader)
        guard
            link == .softmax || ensemble.baseScores.count == 1 || link == .identity && ensemble.isMultiOutput
        else {
            throw BinaryReader.corrupt("a tree model has more scores than its kind")
        }
        self.init(ensemble: ensemble, link: link, warnings: warnings, origin: origin)
    }

    init(ensemble: TreeEnsemble, link: Link, warnings: [String], origin: Origin = .boosted) {
        self.origin = origin
        self.ensemble = ensemble
        self.link = link
        self.warnings = warnings
    }
}

/// Stages are rounds of boosting; stage 0 is the base score.
extension BoostedTreesModel: StagedModel {
    var stageCount: Int { ensemble.roundCount }
    var passedThroughStages: Bool { origin == .boosted }

    /// O(rows · splits), and rows × outputs × stages numbers.
    func predictStages(
        _ features: Table, rows: [Int32]?, stages: [Int], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        try check(features, rows)
        try requireAscending(stages)
        guard !stages.isEmpty else { return [] }
        let scores = try ensemble.scores(
            features, rows: rows, afterTrees: stages.map { ensemble.treeCount(ofRounds: $0) }, context)
        let size = scores.count / stages.count
        return stages.indices.map { linked(Array(scores[$0 * size..<($0 + 1) * size])) }
    }

    func truncated(to stage: Int) throws(MetaLearnersError) -> any StagedModel {
        try requireAscending([stage])
        if stage >= ensemble.roundCount { return self }
        return BoostedTreesModel(
            ensemble: ensemble.truncated(toRounds: stage), link: link, warnings: warnings,
            origin: origin)
    }
}
