import MetaLearners
import MetaLearnersCore

/// A propensity that does not depend on the model that the user chose: boosted trees on every covariate, out of fold, neither
/// calibrated nor clipped.
enum FlexiblePropensity {
    /// What results call it.
    static let name = "boosted trees"

    /// Estimates e_k for each arm; nil where the study has no spec to fit with or there is no backend `trees`.
    ///
    /// Propensities that are known by design are estimated all the same: in a trial nothing should tell its arms apart.
    static func estimate(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError)
        -> [[Double]]?
    {
        guard let fitting = study.fitting, !study.covariates.columns.isEmpty,
            let fitter = try fitter(fitting)
        else { return nil }
        var dataset = fitting.dataset
        if dataset.knownPropensities != nil {
            dataset = try CausalDataset(
                covariates: dataset.covariates, treatment: dataset.treatment, outcome: dataset.outcome,
                weights: dataset.weights, clusters: dataset.clusters)
        }
        let fit = try fitter.fitNuisances(dataset, roles: [.propensity], scheduler.innerOptions)
        return fit.estimates.propensities
    }

    private static func fitter(_ fitting: StudyFitting) throws(MetaLearnersError) -> MetaLearnerFitter? {
        let own = fitting.fitter.spec
        var spec = MetaLearnerSpec()
        spec.data = own.data
        spec.learner = .dr
        spec.models.propensity = RoleModelSpec("trees")
        spec.crossFitting.folds = .exactly(max(own.crossFitting.foldCount, 2))
        spec.seed = own.seed
        // Wide open, so that propensities are seen as they are.
        spec.overlap.bounds = [1e-9, 1 - 1e-9]
        do throws(MetaLearnersError) {
            return try MetaLearnerFitter(spec, registry: fitting.registry)
        } catch {
            // An app may have registered neither trees nor the DR-learner.
            return nil
        }
    }
}
