import MetaLearnersCore

/// `ensemble`: several learners, stacked by their out-of-fold loss (Nie & Wager 2021, arXiv 1712.04912, section 4.2).
///
/// Its own nuisances are those of the loss. All members are fitted in one graph, and nuisances that several of them need,
/// or that the loss needs, are fitted once.
package struct EnsembleStrategy: FittingStrategy {
    package static let kind = LearnerKind.ensemble
    package static let traits = LearnerTraits(
        .combination, isComposite: true, isCollective: true)
    package static let predictors: [any EffectPredictor.Type] = [EnsemblePredictor.self]

    package static let reference = LearnerReference(
        target: "–", weight: "–",
        effect:
            "several learners, stacked by their out-of-fold R- or DR-loss with non-negative weights",
        citation: "Nie & Wager 2021, arXiv 1712.04912, §4.2")

    private let spec: MetaLearnerSpec
    private let models: RoleModels
    private let members: [MetaLearnerFitter]
    private let registry: Registry

    package init(_ spec: MetaLearnerSpec, _ registry: Registry) throws(MetaLearnersError) {
        self.spec = spec
        self.registry = registry
        models = try RoleModels(spec, registry)
        let place = SpecPath.root.appending("ensemble").appending("members")
        members = try spec.ensemble.members.enumerated().map { index, member throws(MetaLearnersError) in
            try MetaLearnerFitter(
                spec.member(
                    member, of: Self.kind, models: spec.models.specValue.objectValue ?? SpecObject(),
                    at: place.appending("\(index)"), registry), registry: registry)
        }
    }

    package var completeSpec: SpecValue {
        var complete = spec
        complete.models = models.completeModels
        return .object(complete.archivedValue)
    }

    private var loss: EffectLoss { spec.ensemble.loss }

    package func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        spec.withAverages(
            loss.nuisanceRoles(armCount: armCount), LearnerTraits(hasArmMeans: loss == .dr),
            armCount: armCount)
    }

    package func check(_ request: FitRequest) throws(MetaLearnersError) {
        try requireTraits(spec, request, registry)
        for member in members { try member.check(request) }
    }

    package func footprint(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        let own = nuisanceRoles(dataset)
        var bytes = try models.shared(own, [], dataset).values.reduce(0, +)
        bytes += 2 * own.count * dataset.armCount * dataset.rowCount * 8
        for member in members { bytes += try member.strategy.footprintKeepingTraining(dataset) }
        return bytes
    }

    package func planNuisances(_ request: FitRequest, _ roles: [NuisanceRole]?) throws(MetaLearnersError)
        -> any NuisanceSource
    {
        let wanted = (roles ?? nuisanceRoles(request.dataset)).filter {
            !$0.isPropensity || request.dataset.knownPropensities == nil
        }
        return try NuisancePlan(request, models, wanted.map { ($0, .folds) })
    }

    package func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit {
        var roles = Set(models.reusable(nuisances, labels).roles)
        for member in members { roles.formUnion(member.strategy.reusable(nuisances, labels).roles) }
        return nuisances.selecting(roles)
    }

    package func plan(_ request: FitRequest, for purpose: FitPurpose) throws(MetaLearnersError) -> any FitPlan
    {
        if let reused = request.reused {
            let labels = request.dataset.treatment.labels
            let taken = Set(reusable(reused, labels).roles)
            // A nuisance that the loss needs, and that nobody would fit in this way, was given by mistake.
            for role in reused.roles
            where nuisanceRoles(request.dataset).contains(role) && !taken.contains(role) {
                throw NuisancePlan.otherOrigin(role, labels, at: spec.models.model(of: role, labels).place)
            }
        }
        let own = try NuisancePlan(
            request.ofMember, models, nuisanceRoles(request.dataset).map { ($0, .folds) })
        let plans = try members.map { member throws(MetaLearnersError) in
            // (Weights are found on effects out of fold, also where only new rows are predicted.)
            try member.strategy.plan(request.ofMember, for: purpose == .newRows ? .model : purpose)
        }
        return EnsemblePlan(
            loss: loss, request: request, own: own, members: Array(zip(members, plans)))
    }
}

/// The fits of an ensemble on their way.
private struct EnsemblePlan: FitPlan {
    let loss: EffectLoss
    let request: FitRequest
    let own: NuisancePlan
    let members: [(fitter: MetaLearnerFitter, plan: any FitPlan)]

    func schedule(in graph: inout TaskGraph) throws(MetaLearnersError) {
        own.schedule(in: &graph)
        for member in members { try member.plan.schedule(in: &graph) }
    }

    func result(_ context: ExecutionContext) throws(MetaLearnersError) -> FittedLearner {
        let dataset = request.dataset
        let nuisances = try own.fit()
        let results = try members.map { member throws(MetaLearnersError) in try member.plan.result(context) }
        let models = try zip(members, results).map { member, result throws(MetaLearnersError) in
            try CATEModel(member.fitter, dataset, result)
        }
        var stacks: [ConvexStack] = []
        var trainingEffects: [[Double]] = []
        for arm in 1..<dataset.armCount {
            let target = try loss.target(of: arm, dataset, nuisances.estimates)
            let ofArm = results.map { $0.trainingEffects[arm - 1] }
            let (whole, ofFolds) = try Self.stacks(ofArm, target, dataset, request.folds)
            stacks.append(whole)
            trainingEffects.append(FoldStacks(stacks: ofFolds, folds: request.folds).combine(ofArm))
        }
        let disagreements = try stacks.indices.map { arm throws(MetaLearnersError) in
            let total = stacks[arm].weights.reduce(0, +)
            return try Disagreement.meanSquare(
                results.map { $0.trainingEffects[arm] },
                weights: stacks[arm].weights.map { total > 0 ? $0 / total : 0 },
                rows: nuisances.estimates.rows(ofArms: nil, dataset), rowWeights: dataset.weights,
                dataset.distribution)
        }
        return FittedLearner(
            nuisances, keeping: nuisances.roles,
            predictor: EnsemblePredictor(members: models.map(\.withoutTraining), stacks: stacks),
            trainingEffects: trainingEffects, disagreements: disagreements)
    }

    /// The weights of effects that minimise the loss, and the constant beside them: on all rows, and for each fold on the rows
    /// outside it, so that the weights at a training row are not fitted to its own outcome.
    ///
    /// Weights are drawn to equal shares by as much as one row says (`ConvexStack.Constraint.drawnToShares`): a member that says nearly the same
    /// of all rows of some folds, as an S-learner may, would get a weight of 100 that is right for these folds alone.
    private static func stacks(
        _ effects: [[Double]], _ target: PseudoOutcome, _ dataset: CausalDataset, _ folds: FoldAssignment
    ) throws(MetaLearnersError) -> (whole: ConvexStack, ofFolds: [ConvexStack]) {
        func taking(_ list: [Double]) -> [Double] { target.rows.map { list[Int($0)] } }
        let count = effects.count
        var members = effects.map(taking)
        let residual = target.residuals.first.map(taking)
        if let residual {
            // The constant may have either sign: it stands among the members as itself and as its opposite.
            members = members.map { zip($0, residual).map { $0 * $1 } } + [residual, residual.map { -$0 }]
        }
        let sums = try StackSums(
            members, target: taking(target.values), rowWeights: dataset.weights.map(taking),
            groups: target.rows.map { folds.folds[Int($0)] }, count: folds.count, .freeIntercept,
            dataset.distribution)
        func stack(_ sums: StackSums.Group?) -> ConvexStack {
            let stack = ConvexStack(
                sums?.drawnToShares(of: count), .freeIntercept, count: members.count)
            guard residual != nil else { return stack }
            return ConvexStack(
                weights: Array(stack.weights[..<count]),
                intercept: stack.weights[count] - stack.weights[count + 1])
        }
        return (stack(sums.total(without: nil)), (0..<folds.count).map { stack(sums.rest(of: $0)) })
    }
}
