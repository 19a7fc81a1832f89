import MetaLearnersCore

/// What all fits of one call have in common: the rows, how they are held out, and the nuisances that are shared.
public struct FitRequest: Sendable {
    /// The rows to learn from.
    public let dataset: CausalDataset
    /// The folds, one assignment for each repeat.
    public let repeats: [FoldAssignment]
    /// Tells the dataset from others.
    public let fingerprint: UInt64
    /// Nuisances that were fitted before, for whom the call is about; nil where there are none, and for members.
    public let reused: NuisanceFit?
    /// Whether it is that of a member of a combination, which needs the member's effects of the training rows.
    let isMember: Bool
    /// The nuisances of everything that the call fits.
    let pool: NuisancePool

    /// The folds of the first repeat.
    public var folds: FoldAssignment { repeats.first ?? .none(rowCount: dataset.rowCount) }

    package init(
        _ dataset: CausalDataset, _ repeats: [FoldAssignment], fingerprint: UInt64, reused: NuisanceFit? = nil
    ) {
        self.init(
            dataset, repeats, fingerprint: fingerprint, reused: reused, isMember: false,
            pool: NuisancePool(reused?.components ?? []))
    }

    private init(
        _ dataset: CausalDataset, _ repeats: [FoldAssignment], fingerprint: UInt64, reused: NuisanceFit?,
        isMember: Bool, pool: NuisancePool
    ) {
        self.dataset = dataset
        self.repeats = repeats
        self.fingerprint = fingerprint
        self.reused = reused
        self.isMember = isMember
        self.pool = pool
    }

    /// The request of a member of a combination: it takes of the shared nuisances what suits it, and nobody asked it
    /// to take any.
    package var ofMember: FitRequest {
        FitRequest(
            dataset, repeats, fingerprint: fingerprint, reused: nil, isMember: true, pool: pool)
    }

    /// Says that the graph that nuisances were scheduled in has run: those of the next do not wait for its tasks.
    package func graphHasRun() { pool.graphHasRun() }

    /// Draws or takes over the folds, and checks that reused nuisances belong to the dataset and to these folds.
    ///
    /// - Parameters:
    ///   - folds: folds drawn elsewhere; nil to draw them from the spec's seed.
    /// - Throws: `invalidArgument` for folds or nuisances of other data, `invalidSpec` for a label that is no arm's.
    package init(
        _ spec: MetaLearnerSpec, _ dataset: CausalDataset, _ folds: FoldAssignment?, _ reused: NuisanceFit?,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        guard dataset.partition == nil || dataset.distribution != nil else {
            throw MetaLearnersError(
                .invalidArgument, at: "collective", "the dataset has a part of the rows alone",
                remedy:
                    "fit with the collective that it was made with; nothing but whole fits can be made of parts yet"
            )
        }
        try spec.models.requireArms(dataset.treatment.labels)
        let fingerprint = try dataset.fingerprintOfAllRows(context)
        let repeats = try Self.assignFolds(spec, dataset, folds)
        if let reused {
            guard reused.fingerprint == fingerprint else {
                throw MetaLearnersError(
                    .invalidArgument, at: "nuisances", "were fitted to other data",
                    remedy: "fit without them, or give the same rows in the same order")
            }
            guard reused.repeats == repeats,
                reused.aggregation == spec.crossFitting.aggregation || repeats.count == 1
            else {
                throw MetaLearnersError(
                    .invalidArgument, at: "nuisances", "were fitted on other folds",
                    remedy: "use the same cross_fitting and seed, or give the folds")
            }
        }
        guard spec.crossFitting.inSample != .nested || repeats.allSatisfy({ $0.count > 2 }) else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds", "are too few for in_sample: nested, which leaves two out",
                remedy: "give three folds or more")
        }
        self.init(dataset, repeats, fingerprint: fingerprint, reused: reused)
    }

    private static func assignFolds(
        _ spec: MetaLearnerSpec, _ dataset: CausalDataset, _ given: FoldAssignment?
    ) throws(MetaLearnersError) -> [FoldAssignment] {
        guard let given else {
            return try FoldAssignment.repeats(
                spec.crossFitting.repeats, dataset, count: spec.crossFitting.foldCount,
                seed: UInt64(spec.seed))
        }
        guard given.folds.count == dataset.rowCount else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds",
                "has \(given.folds.count) rows for \(dataset.rowCount) rows of data")
        }
        if given.isCrossFitted { try given.requireEveryArm(outside: dataset) }
        return [given]
    }
}
