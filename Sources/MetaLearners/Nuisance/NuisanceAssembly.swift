import MetaLearnersCore

/// Propensities that are ready for use, with how they came about.
package struct AssembledPropensities: Sendable {
    /// For each arm, for each row; empty where nobody keeps them.
    package let values: [[Double]]
    /// Which rows have overlap; nil where all have.
    package let hasOverlap: [Bool]?
    /// What the overlap policy did.
    package let overlap: OverlapReport
    /// How predictions were calibrated; nil where they were not.
    package let calibration: PropensityCalibration?
}

/// Makes propensities of what models predict: takes known ones over, calibrates, and applies the overlap policy.
package struct NuisanceAssembly {
    let dataset: CausalDataset
    let policy: OverlapSpec
    let calibration: Calibration

    package init(dataset: CausalDataset, policy: OverlapSpec, calibration: Calibration) {
        self.dataset = dataset
        self.policy = policy
        self.calibration = calibration
    }

    /// The propensities of the dataset's rows.
    ///
    /// - Parameters:
    ///   - predicted: a number for each arm, row by row, out of fold; nil where propensities are known.
    ///   - folds: what rows were held out together: each is calibrated by the rows of the others.
    /// - Throws: `invalidData` where the overlap policy refuses the propensities or leaves an arm without rows, and what the
    ///   collective throws.
    package func propensities(_ predicted: [Double]?, _ folds: FoldAssignment) throws(MetaLearnersError)
        -> AssembledPropensities
    {
        var values = dataset.knownPropensities ?? []
        var calibrated: PropensityCalibration?
        if dataset.knownPropensities == nil, let predicted {
            values = (0..<dataset.armCount).map { arm in
                stride(from: arm, to: predicted.count, by: dataset.armCount).map { predicted[$0] }
            }
            if calibration != .none {
                let fitted = try PropensityCalibration.fitted(calibration, values, dataset, folds)
                values = fitted.training
                calibrated = fitted.calibration
            }
        }
        let labels = dataset.treatment.labels
        let overlap = try policy.apply(
            values, labels, isKnown: dataset.knownPropensities != nil, dataset.covariates.places,
            dataset.distribution)
        if let hasOverlap = overlap.hasOverlap {
            var rows = [Int](repeating: 0, count: dataset.armCount)
            for (row, arm) in dataset.treatment.arms.enumerated() where hasOverlap[row] {
                rows[Int(arm)] += 1
            }
            if let distribution = dataset.distribution { rows = try distribution.sum(rows) }
            if let empty = rows.firstIndex(of: 0) {
                throw MetaLearnersError(
                    .invalidData, at: "overlap",
                    "arm '\(labels[empty])' has no row left after trimming to \(policy.usedBounds)",
                    remedy: "widen overlap.bounds or use overlap.policy: clip")
            }
        }
        return AssembledPropensities(
            values: overlap.propensities, hasOverlap: overlap.hasOverlap, overlap: overlap.report,
            calibration: calibrated)
    }
    /// The propensities that `watch` counted and nobody kept.
    ///
    /// - Throws: `invalidData` where the overlap policy refuses the propensities.
    func propensities(_ watch: OverlapWatch) throws(MetaLearnersError) -> AssembledPropensities {
        AssembledPropensities(
            values: [], hasOverlap: nil,
            overlap: try policy.report(
                watch.found, dataset.treatment.labels, dataset.covariates.places, dataset.distribution),
            calibration: nil)
    }
}
