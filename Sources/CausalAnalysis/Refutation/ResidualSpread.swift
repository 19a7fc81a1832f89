import MetaLearners
import MetaLearnersCore

/// What sharp sensitivity bounds balance in each arm, so that its quantiles given the covariates are balanced: the quantile of a binary
/// outcome follows from its mean; that of another is taken to be linear in the expected absolute residual, which boosted trees estimate
/// out of fold.
struct ResidualSpread {
    private let isBinary: Bool
    private let means: [[Double]]
    /// E[|Y − μ_k| | W = k, X] of each arm; nil where nothing can be fitted, so that all rows count as alike.
    private let spreads: [[Double]]?

    /// Whether the covariates have a part in it.
    var usesCovariates: Bool { isBinary || spreads != nil }

    /// Fits the spreads of a study with scores, where they are needed.
    ///
    /// - Throws: what a fit throws.
    init(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) {
        isBinary = study.isBinary
        var means: [[Double]] = []
        for arm in 0..<study.armCount { means.append(try study.armMean(arm)) }
        self.means = means
        guard !isBinary, let fitting = study.fitting, !study.covariates.columns.isEmpty,
            let fitter = Self.fitter(fitting)
        else {
            spreads = nil
            return
        }
        let sizes = study.outcome.indices.map { abs(study.outcome[$0] - means[Int(study.arms[$0])][$0]) }
        let dataset = try fitting.dataset.replacing(outcome: Outcome(sizes))
        let fit: NuisanceFit?
        do throws(MetaLearnersError) {
            fit = try fitter.fitNuisances(
                dataset, roles: (0..<study.armCount).map { .armOutcome($0) },
                folds: study.folds.flatMap { $0.isCrossFitted ? $0 : nil }, scheduler.innerOptions)
        } catch {
            // Too few rows of an arm, or clusters, for folds of their own: the other bounds need none.
            guard error.kind == .invalidData else { throw error }
            fit = nil
        }
        spreads = fit.map { fit in (0..<study.armCount).compactMap { fit.estimates.armOutcomes[$0] } }
    }

    /// h of each row for the end of an interval that the τ-quantile of the residuals of `arm` decides.
    func feature(_ arm: Int, quantile: Double) -> [Double] {
        if isBinary { return means[arm].map { ($0 > 1 - quantile ? 1 : 0) - $0 } }
        return spreads?[arm] ?? [Double](repeating: 0, count: means[arm].count)
    }

    private static func fitter(_ fitting: StudyFitting) -> MetaLearnerFitter? {
        let own = fitting.fitter.spec
        var spec = MetaLearnerSpec()
        spec.data = own.data
        spec.data.outcomeType = .continuous
        spec.learner = .dr
        spec.models.outcome = RoleModelSpec("trees")
        spec.crossFitting.folds = .exactly(max(own.crossFitting.foldCount, 2))
        spec.seed = own.seed
        // An app may have registered neither trees nor the DR-learner.
        return try? MetaLearnerFitter(spec, registry: fitting.registry)
    }
}
