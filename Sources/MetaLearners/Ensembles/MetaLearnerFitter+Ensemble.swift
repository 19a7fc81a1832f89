import MetaLearnersCore

extension MetaLearnerFitter {
    /// Fits the members one after another, each with the nuisances that it shares with the loss or with members before
    /// it, and weights them by the loss of their out-of-fold effects.
    ///
    /// - Throws: `invalidSpec` where rows are not held out, and what the members' fits throw, with the member's place.
    func fitEnsemble(_ request: NuisanceRequest, _ options: ExecutionOptions) throws(MetaLearnersError)
        -> CATEModel
    {
        let dataset = request.dataset
        try requirePlainFit(request)
        let learner = EnsembleLearner(loss: spec.ensemble.loss)
        let own = try fitNuisances(
            dataset, roles: learner.nuisanceRoles(armCount: dataset.armCount),
            folds: request.repeats.count == 1 ? request.repeats.first : nil,
            reusing: request.reused.map { reusable($0, by: self, dataset) }, options)
        var known = [own]
        var members: [CATEModel] = []
        for fitter in self.members {
            let shared = known.map { reusable($0, by: fitter, dataset) }.max {
                $0.roles.count < $1.roles.count
            }
            let member = try fitter.fit(
                dataset, folds: request.repeats.count == 1 ? request.repeats.first : nil, nuisances: shared,
                options)
            if fitter.spec.learner != .auto, let nuisances = member.nuisances { known.append(nuisances) }
            members.append(member)
        }
        let effects = members.map(\.trainingEffects)
        var stacks: [ConvexStack] = []
        var trainingEffects: [[Double]] = []
        for arm in 1..<dataset.armCount {
            let target = learner.pseudoOutcome(EffectRole(arm: arm), dataset, own.estimates)
            let ofArm = effects.map { $0[arm - 1] }
            let stack = Self.stack(ofArm, target, dataset.weights)
            stacks.append(stack)
            trainingEffects.append(stack.combine(ofArm))
        }
        return CATEModel(
            fitter: self, dataset: dataset, nuisances: own, estimates: own.estimates,
            nuisanceModels: own.models(own.roles, refitted: []),
            predictor: EnsemblePredictor(members: members, stacks: stacks), trainingEffects: trainingEffects)
    }

    /// The weights of effects that minimise the loss, and the constant beside them.
    private static func stack(_ effects: [[Double]], _ target: PseudoOutcome, _ weights: [Double]?)
        -> ConvexStack
    {
        func taking(_ list: [Double]) -> [Double] { target.rows.map { list[Int($0)] } }
        let rowWeights = weights.map(taking)
        guard let residual = target.residuals.first.map(taking) else {
            return ConvexStack(
                effects.map(taking), target: taking(target.values), rowWeights: rowWeights, .freeIntercept)
        }
        // The constant may have either sign: it stands among the members as itself and as its opposite.
        let slopes = effects.map { zip(taking($0), residual).map { $0 * $1 } }
        let stack = ConvexStack(
            slopes + [residual, residual.map { -$0 }], target: taking(target.values), rowWeights: rowWeights,
            .freeIntercept)
        let count = effects.count
        return ConvexStack(
            weights: Array(stack.weights[..<count]),
            intercept: stack.weights[count] - stack.weights[count + 1])
    }

    /// What of `nuisances` a fitter would fit in just the same way.
    func reusable(_ nuisances: NuisanceFit, by fitter: MetaLearnerFitter, _ dataset: CausalDataset)
        -> NuisanceFit
    {
        let labels = dataset.treatment.labels
        let roles = nuisances.components.filter { component in
            component.origin
                == fitter.origin(of: component.role, fitter.spec.models.model(of: component.role, labels))
        }
        return nuisances.selecting(Set(roles.map(\.role)))
    }

    /// Checks what learners that combine others do not have.
    ///
    /// - Throws: `invalidSpec`, `unsupported`.
    func requirePlainFit(_ request: NuisanceRequest) throws(MetaLearnersError) {
        let name = spec.learner.rawValue
        guard request.repeats.allSatisfy(\.isCrossFitted) else {
            throw MetaLearnersError(
                .invalidSpec, at: "cross_fitting.folds",
                "is 1, and \(name) weights its members by rows held out",
                remedy: "use 2 folds or more")
        }
        guard spec.crossFitting.inSample == .outOfFold else {
            throw MetaLearnersError(
                .unsupported, at: "cross_fitting.in_sample",
                "\(name) has effects of its training rows out of fold alone",
                remedy: "use in_sample: out_of_fold")
        }
        guard [.none, .auto].contains(spec.intervals.method) else {
            throw MetaLearnersError(
                .unsupported, at: "intervals.method", "\(name) has no intervals",
                remedy: "leave it out, or use r or dr")
        }
        guard request.dataset.outcome.kind.effectClasses.isEmpty else {
            throw MetaLearnersError(
                .unsupported, at: "learner", "\(name) has no effects for an outcome of several classes",
                remedy: "these have: " + LearnerKind.names(where: \.servesClasses))
        }
        try spec.effectScale.require(request.dataset.outcome.kind)
    }
}
