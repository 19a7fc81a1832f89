import MetaLearnersCore

/// The nuisances of a dataset, with the models behind them: what one learner was fitted with and the next may reuse.
///
/// `MetaLearnerFitter.fit(_:folds:nuisances:_:)` takes it and fits only what is missing; the result is that of a fit
/// without it, to the bit.
public struct NuisanceFit: Sendable {
    /// Out of fold, over the repeats, after the overlap policy: every role that there is.
    public let estimates: NuisanceEstimates
    /// How the propensities stood to the bounds.
    public let overlap: OverlapReport
    /// How the propensities were calibrated; nil where they were not.
    public let calibration: PropensityCalibration?
    /// The folds that everything is fitted on, one assignment a repeat.
    public let repeats: [FoldAssignment]
    /// How the repeats' predictions became one.
    public let aggregation: RepeatAggregation
    /// The kind of outcome.
    public let outcomeKind: Outcome.Kind
    /// Tells the dataset from others.
    public let fingerprint: UInt64
    /// One a role, in the order of fitting.
    let components: [NuisanceComponent]

    /// Which nuisances there are.
    public var roles: [NuisanceRole] { components.map(\.role) }

    /// How many models were fitted: those of folds, repeats and all rows.
    public var modelCount: Int { components.reduce(0) { $0 + $1.models.everyModel.count } }

    /// The folds of the first repeat.
    public var folds: FoldAssignment { repeats.first ?? .none(rowCount: estimates.rowCount) }

    /// Those of the given roles: what is left out is fitted again by whoever needs it.
    public func selecting(_ roles: Set<NuisanceRole>) -> NuisanceFit {
        NuisanceFit(
            estimates: estimates(of: roles), overlap: overlap, calibration: calibration, repeats: repeats,
            aggregation: aggregation,
            outcomeKind: outcomeKind, fingerprint: fingerprint,
            components: components.filter { roles.contains($0.role) })
    }

    /// Out of fold, over the repeats, after the overlap policy: the given roles alone. Propensities are there whether
    /// they are among the roles or known.
    func estimates(of roles: Set<NuisanceRole>) -> NuisanceEstimates {
        guard !Set(self.roles).subtracting(roles).isEmpty else { return estimates }
        var selected = NuisanceEstimates(rowCount: estimates.rowCount, armCount: estimates.armCount)
        let lists = components.filter { roles.contains($0.role) && !$0.role.isPropensity }
        selected.store(lists.map { ($0.role, $0.outOfFold) }, of: outcomeKind)
        selected.propensities = estimates.propensities
        selected.hasOverlap = estimates.hasOverlap
        return selected
    }

    func component(_ role: NuisanceRole) -> NuisanceComponent? { components.first { $0.role == role } }

    /// The models of the given roles, with those on all rows for `refitted` alone: what a learner that needs no other
    /// has in its file.
    func models(_ roles: [NuisanceRole], refitted: Set<NuisanceRole>) -> [FittedRole<NuisanceRole>] {
        roles.compactMap { role in
            guard let known = component(role) else { return nil }
            return FittedRole(
                role: role,
                models: CrossFittedModels(
                    foldModels: known.models.foldModels,
                    fullModel: refitted.contains(role) ? known.models.fullModel : nil))
        }
    }
}
