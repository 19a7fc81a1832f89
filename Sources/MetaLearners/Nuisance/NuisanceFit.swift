import MetaLearnersCore

/// The nuisances of a dataset, with the models behind them: what one learner was fitted with and the next may reuse.
///
/// `MetaLearnerFitter.fit(_:folds:nuisances:_:)` takes it and fits only what is missing; the result is that of a fit
/// without it, to the bit.
public struct NuisanceFit: Sendable {
    /// Out of fold, over the repeats, after the overlap policy: every role that there is.
    public private(set) var estimates: NuisanceEstimates
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
    /// One for each role, in the order of fitting.
    package private(set) var components: [NuisanceComponent]
    /// What a strategy fitted beside the nuisances and needs to go on from here; nil where there is nothing.
    package private(set) var particular: StrategyNuisances?

    package init(
        estimates: NuisanceEstimates, propensities: AssembledPropensities, _ request: FitRequest,
        aggregation: RepeatAggregation, components: [NuisanceComponent],
        particular: StrategyNuisances? = nil
    ) {
        self.estimates = estimates
        overlap = propensities.overlap
        calibration = propensities.calibration
        repeats = request.repeats
        self.aggregation = aggregation
        outcomeKind = request.dataset.outcome.kind
        fingerprint = request.fingerprint
        self.components = components
        self.particular = particular
    }

    /// Which nuisances there are.
    public var roles: [NuisanceRole] { components.map(\.role) }

    /// How many models were fitted: those of folds, repeats and all rows.
    public var modelCount: Int { components.reduce(0) { $0 + $1.models.everyModel.count } }

    /// The folds of the first repeat.
    public var folds: FoldAssignment { repeats.first ?? .none(rowCount: estimates.rowCount) }

    /// Those of the given roles: what is left out is fitted again by whoever needs it.
    public func selecting(_ roles: Set<NuisanceRole>) -> NuisanceFit {
        var selected = self
        selected.estimates = estimates(of: roles)
        selected.components = components.filter { roles.contains($0.role) }
        // What goes with all of a strategy's nuisances is of no use without some of them.
        if selected.components.count < components.count { selected.particular = nil }
        return selected
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

/// What a strategy of its own fitted along with nuisances.
package struct StrategyNuisances: Sendable {
    /// All that decides it beside data and folds: equal ones give equal values.
    package let origin: String
    /// What it is: only the strategy knows.
    package let value: any Sendable

    package init(origin: String, value: any Sendable) {
        self.origin = origin
        self.value = value
    }
}

/// One nuisance of a dataset: its models, what they say out of fold, and what decided both.
package struct NuisanceComponent: Sendable {
    /// Which nuisance.
    package let role: NuisanceRole
    /// The base learner with every parameter, its columns and its seed, as JSON: equal ones give equal models.
    package let origin: String
    /// The models.
    package internal(set) var models: CrossFittedModels
    /// As `CrossFitter.Fit.outOfFold`.
    package internal(set) var outOfFold: [[Double]]
    /// As `CrossFitter.Fit.outOfPairs`; empty where nobody asked.
    package internal(set) var outOfPairs: [[[[Double]]]]

    package init(
        role: NuisanceRole, origin: String, models: CrossFittedModels, outOfFold: [[Double]],
        outOfPairs: [[[[Double]]]] = []
    ) {
        self.role = role
        self.origin = origin
        self.models = models
        self.outOfFold = outOfFold
        self.outOfPairs = outOfPairs
    }

    /// Which of `parts` are not there.
    func missing(of parts: CrossFitter.Parts) -> CrossFitter.Parts {
        var missing = parts
        if !outOfFold.isEmpty {
            missing.remove(.folds)
        } else if !models.foldModels.isEmpty {
            missing.remove(.foldModels)
        }
        if !outOfPairs.isEmpty { missing.remove(.pairs) }
        if models.fullModel != nil { missing.remove(.full) }
        return missing
    }

    /// Takes over what was fitted later.
    mutating func add(_ fit: CrossFitter.Fit) {
        models = CrossFittedModels(
            foldModels: models.foldModels.isEmpty ? fit.models.foldModels : models.foldModels,
            fullModel: models.fullModel ?? fit.models.fullModel)
        if outOfFold.isEmpty { outOfFold = fit.outOfFold }
        if outOfPairs.isEmpty { outOfPairs = fit.outOfPairs }
    }
}
