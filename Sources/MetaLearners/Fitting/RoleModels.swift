import MetaLearnersCore

/// The base learners of a checked spec, by role: which there are, what each is asked, and whether it can do it.
public struct RoleModels: Sendable {
    /// The spec that names them.
    let spec: MetaLearnerSpec
    /// By their place in the spec.
    private let estimators: [String: any BaseEstimator]
    private let backends: [BackendDescription]

    /// Finds the base learners that `spec` names.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    public init(_ spec: MetaLearnerSpec, _ registry: Registry) throws(MetaLearnersError) {
        self.spec = spec
        var estimators: [String: any BaseEstimator] = [:]
        for (model, place) in spec.models.everyModel {
            estimators[place.description] = try registry.estimators.makeEstimator(model.choice, at: place)
        }
        self.estimators = estimators
        backends = registry.estimators.descriptions
    }

    /// The base learner at a place of the spec.
    func estimator(_ placed: ModelsSpec.Placed) throws(MetaLearnersError) -> any BaseEstimator {
        guard let estimator = estimators[placed.place.description] else {
            throw placed.place.error("there is no model")
        }
        return estimator
    }

    /// A model of the spec with every default of its backend.
    private func complete(_ placed: ModelsSpec.Placed) -> RoleModelSpec {
        var model = placed.model
        model.choice = estimators[placed.place.description]?.completeChoice ?? model.choice
        return model
    }

    /// The models of the spec with every default of every backend.
    package var completeModels: ModelsSpec {
        var models = spec.models
        models.outcome = complete(spec.models.model(of: .joint, []))
        models.propensity = complete(spec.models.model(of: .propensity, []))
        models.effect = complete(spec.models.model(of: EffectRole(arm: 1), []))
        for (index, arm) in models.arms.enumerated() {
            if arm.outcome != nil {
                models.arms[index].outcome = complete(spec.models.model(of: .armOutcome(0), [arm.label]))
            }
            if arm.effect != nil {
                models.arms[index].effect = complete(spec.models.model(of: EffectRole(arm: 0), [arm.label]))
            }
        }
        return models
    }

    /// The parameter `name` of the model of an effect, its default where the spec has none.
    func parameter(_ name: String, of role: EffectRole, _ labels: [String]) -> SpecValue? {
        complete(spec.models.model(of: role, labels)).choice.parameters[name]
    }

    /// All that decides a nuisance's models beside data and folds: equal ones give equal models.
    func origin(of role: NuisanceRole, _ labels: [String]) -> String {
        var object =
            complete(spec.models.model(of: role, labels)).specValue().objectValue ?? SpecObject()
        object["calibration"] = nil
        object["seed"] = .string(String(seed(of: role)))
        return SpecValue.object(object).json()
    }

    /// Of nuisances that were fitted before, those of the same origin.
    func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit {
        nuisances.selecting(
            Set(nuisances.components.filter { $0.origin == origin(of: $0.role, labels) }.map(\.role)))
    }

    private func seed(of role: NuisanceRole) -> UInt64 {
        RandomStream.derivedSeed(UInt64(spec.seed), 1, role.code)
    }

    /// What a nuisance's models are fitted to, once its backend is known to be able to do it.
    ///
    /// - Throws: `unsupported`, `invalidSpec` for a column that is not there.
    func job(of role: NuisanceRole, _ dataset: CausalDataset, parts: CrossFitter.Parts)
        throws(MetaLearnersError) -> CrossFitter.Job
    {
        let labels = dataset.treatment.labels
        let placed = spec.models.model(of: role, labels)
        let estimator = try estimator(placed)
        let arms = dataset.treatment.arms
        var features = try ModelsSpec.features(placed, in: dataset.covariates)
        var objective = dataset.outcome.kind.objective
        if role.isPropensity { objective = .classification(classes: dataset.armCount) }
        try require(estimator, at: placed.place, objective, dataset, features)
        var predictionFeatures: [Table] = []
        var target = dataset.outcome.numbers
        var chosen: (@Sendable (_ arm: Int32) -> Bool)?
        switch role {
        case .propensity: target = Self.numbers(arms, for: estimator)
        case .armOutcome(let arm): chosen = { $0 == arm }
        case .marginalOutcome(let arm):
            if dataset.armCount > 2, arm > 0 { chosen = { $0 == arm || $0 == 0 } }
        case .joint:
            predictionFeatures = features.underEveryArm(labels)
            features = features.appending(.treatment(StridedValues(Array(arms)), labels))
        }
        let (active, rowCount, isChosen) = (dataset.activeRows, Int32(dataset.rowCount), chosen)
        @Sendable func rows() -> [Int32] {
            guard let isChosen else { return active ?? Array(0..<rowCount) }
            if let active { return [Int32](active) { isChosen(arms[$0]) } }
            return [Int32](0..<rowCount) { isChosen(arms[$0]) }
        }
        let task = try TrainingTask(
            features: features, rows: rows(), numbers: target, weights: dataset.weights,
            clusters: dataset.clusters, objective: objective, seed: seed(of: role), cache: dataset.cache
        ).listingRows(by: rows)
        return CrossFitter.Job(
            name: role.name(labels), estimator: estimator, task: task, parts: parts,
            predictionFeatures: predictionFeatures)
    }

    /// The arms as what is to be predicted: in bytes for a backend that takes rows which were read batch by batch and reads them so.
    private static func numbers(_ arms: RowCodes, for estimator: any BaseEstimator) -> RowNumbers {
        estimator.backend.capabilities.contains(.streamed)
            ? RowNumbers(arms) : RowNumbers(arms.map(Double.init))
    }

    /// Checks that the effect model of a role can be fitted, before anything is.
    ///
    /// - Throws: `unsupported`, `invalidSpec` for a column that is not there.
    func requireEffectModel(_ role: EffectRole, _ dataset: CausalDataset) throws(MetaLearnersError) {
        let placed = spec.models.model(of: role, dataset.treatment.labels)
        try require(
            estimator(placed), at: placed.place,
            role.part == .joint ? .multiRegression(others: []) : .regression,
            dataset, ModelsSpec.features(placed, in: dataset.covariates))
    }

    /// What fits of these roles share, such as the bins of the covariates, by backend.
    func shared(_ nuisances: [NuisanceRole], _ effects: [EffectRole], _ dataset: CausalDataset)
        throws(MetaLearnersError) -> [String: Int]
    {
        let labels = dataset.treatment.labels
        var shared: [String: Int] = [:]
        let places =
            nuisances.map { spec.models.model(of: $0, labels) }
            + effects.map { spec.models.model(of: $0, labels) }
        for placed in places {
            let estimator = try estimator(placed)
            let parts =
                (estimator as? StackEstimator)?.sharedBytes(
                    rows: dataset.rowCount, of: dataset.covariates, for: .regression)
                ?? [
                    estimator.backend.name: estimator.footprint(
                        rows: dataset.rowCount, of: dataset.covariates, for: .regression
                    ).shared
                ]
            for (name, bytes) in parts { shared[name] = max(shared[name] ?? 0, bytes) }
        }
        return shared
    }

    /// Checks that a backend can do what its role asks of it.
    private func require(
        _ estimator: any BaseEstimator, at place: SpecPath, _ objective: TrainingTask.Objective,
        _ dataset: CausalDataset, _ features: Table
    ) throws(MetaLearnersError) {
        var needed = objective.capability
        if dataset.distribution != nil { needed.insert(.collective) }
        if features.isCoded { needed.insert(.streamed) }
        if dataset.weights != nil { needed.insert(.weights) }
        if features.columns.contains(where: { $0.levels != nil }) { needed.insert(.categoricals) }
        let backend = estimator.backend
        if !backend.capabilities.contains(.missingValues), features.hasMissingValues {
            needed.insert(.missingValues)
        }
        let isJoined = dataset.distribution != nil
        let lacking = needed.subtracting(isJoined ? backend.foundCapabilities : backend.capabilities)
        // What is in the way of a collective fit the base learner itself says best.
        if isJoined || lacking.isEmpty {
            do throws(MetaLearnersError) {
                if isJoined { try estimator.requireCollective(objective) }
                if features.isCoded, lacking.isEmpty { try estimator.requireStreamed(features) }
            } catch {
                throw MetaLearnersError(
                    error.kind, at: error.location.map { "\(place).\($0)" } ?? place.description,
                    error.problem, remedy: error.remedy)
            }
        }
        guard !lacking.isEmpty else { return }
        let able = backends.filter {
            $0.name != backend.name
                && (isJoined ? $0.foundCapabilities : $0.capabilities).isSuperset(of: needed)
        }.map(\.name)
        throw MetaLearnersError(
            .unsupported, at: place.description,
            "the backend '\(backend.name)' cannot do \(lacking.names.joined(separator: ", "))",
            remedy: (able.isEmpty ? "no backend can" : "these can: " + able.joined(separator: ", "))
                + Self.otherWay(lacking))
    }

    /// What to do instead of choosing another backend.
    private static func otherWay(_ lacking: Capabilities) -> String {
        if lacking.contains(.streamed) {
            return
                "; of rows that were read batch by batch only the bins of trees are kept: give a table for other models"
        }
        if lacking.contains(.counts) { return "; or take counts as numbers: data.outcome_type: continuous" }
        return lacking.contains(.multiOutput) ? "; or fit one effect per arm: multi_arm: pairwise" : ""
    }
}

extension BaseEstimator {
    /// The backend with every parameter.
    package var completeChoice: EstimatorChoice {
        EstimatorChoice(backend.name, spec.specValue.objectValue ?? SpecObject())
    }
}
