import MetaLearnersCore

/// Makes estimates of a dataset's nuisances out of what their models predict: takes known propensities over, and
/// applies the overlap policy.
struct NuisanceAssembly {
    let dataset: CausalDataset
    let policy: OverlapSpec

    /// The estimates of the given roles.
    ///
    /// - Parameter predictions: by role, as `CrossFitter.Fit.outOfFold`.
    /// - Throws: `invalidData` where the overlap policy refuses the propensities or leaves an arm without rows.
    func estimates(_ predictions: [(role: NuisanceRole, lists: [[Double]])]) throws(MetaLearnersError)
        -> (estimates: NuisanceEstimates, overlap: OverlapReport)
    {
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        estimates.store(predictions, isBinary: dataset.outcome.kind.isBinary)
        let isKnown = dataset.knownPropensities != nil
        let overlap = try policy.apply(
            dataset.knownPropensities ?? estimates.propensities ?? [], dataset.treatment.labels,
            isKnown: isKnown)
        estimates.propensities = overlap.propensities
        estimates.hasOverlap = overlap.hasOverlap
        for arm in 0..<dataset.armCount where estimates.rows(ofArms: [arm], dataset).isEmpty {
            throw MetaLearnersError(
                .invalidData, at: "overlap",
                "arm '\(dataset.treatment.labels[arm])' has no row left after trimming to \(policy.bounds)",
                remedy: "widen overlap.bounds or use overlap.policy: clip")
        }
        return (estimates, overlap.report)
    }
}
