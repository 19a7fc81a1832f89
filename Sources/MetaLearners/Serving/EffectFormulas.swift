import MetaLearnersCore

/// What nuisance models compute, as formulas: the counterpart of `NuisanceEstimates`.
public struct NuisanceFormulas: Sendable {
    /// How many arms there are.
    public let armCount: Int
    /// e_k for each arm, calibrated and within the bounds; nil where not estimated.
    public internal(set) var propensities: [Formula]?
    /// μ_k by arm.
    public internal(set) var armOutcomes: [Int: Formula] = [:]
    /// Of an outcome of several classes, in place of `armOutcomes`: the probability of each class, by arm.
    public internal(set) var classOutcomes: [Int: [Formula]] = [:]
    /// m of each pair of an arm and the control, by arm.
    public internal(set) var marginalOutcomes: [Int: Formula] = [:]

    init(armCount: Int) { self.armCount = armCount }

    /// e_k.
    ///
    /// - Throws: `internalFault` where it was not estimated, as every accessor here does.
    public func propensity(_ arm: Int) throws(MetaLearnersError) -> Formula {
        try Self.known(propensities.flatMap { $0.indices.contains(arm) ? $0[arm] : nil }, "propensity", arm)
    }

    /// μ_k.
    public func armOutcome(_ arm: Int) throws(MetaLearnersError) -> Formula {
        try Self.known(armOutcomes[arm], "outcome", arm)
    }

    /// m of the pair of `arm` and the control.
    public func marginalOutcome(_ arm: Int) throws(MetaLearnersError) -> Formula {
        try Self.known(marginalOutcomes[arm], "marginal outcome", arm)
    }

    /// ē = e_k / (e_0 + e_k).
    public func pairPropensity(of arm: Int) throws(MetaLearnersError) -> Formula {
        guard armCount > 2 else { return try propensity(arm) }
        let own = try propensity(arm)
        return Formula(.quotient(own, Formula(.sum([own, try propensity(0)])), otherwise: nil))
    }

    /// μ_k − μ_0.
    public func outcomeDifference(of arm: Int) throws(MetaLearnersError) -> Formula {
        Formula(.difference(try armOutcome(arm), try armOutcome(0)))
    }

    /// The same with the probabilities of the class numbered `index` as the outcomes of the arms.
    func ofClass(_ index: Int) -> NuisanceFormulas {
        var formulas = self
        formulas.armOutcomes = classOutcomes.compactMapValues {
            $0.indices.contains(index) ? $0[index] : nil
        }
        formulas.classOutcomes = [:]
        return formulas
    }

    /// Takes over what a role's models compute: their outputs for each arm that the joint model is asked for, else once.
    mutating func store(_ lists: [[Formula]], of role: NuisanceRole, _ kind: Outcome.Kind) {
        guard let first = lists.first else { return }
        func store(_ outputs: [Formula], _ arm: Int) {
            if kind.effectClasses.isEmpty {
                armOutcomes[arm] = outputs.last
            } else {
                classOutcomes[arm] = outputs
            }
        }
        switch role {
        case .propensity: propensities = first
        case .armOutcome(let arm): store(first, arm)
        case .marginalOutcome(let arm): marginalOutcomes[arm] = first.last
        case .joint: for (arm, outputs) in lists.enumerated() { store(outputs, arm) }
        }
    }

    private static func known(_ formula: Formula?, _ what: String, _ arm: Int) throws(MetaLearnersError)
        -> Formula
    {
        if let formula { return formula }
        throw MetaLearnersError(
            .internalFault, at: "formulas", "the \(what) of arm \(arm) is needed and has no formula")
    }
}

/// What the effect models of a learner compute.
public struct EffectFormulas: Sendable {
    private let formulas: [EffectRole: [Formula]]

    init(_ formulas: [EffectRole: [Formula]]) { self.formulas = formulas }

    /// The formula of each output of a role's model: one, and one for each arm but the control of a joint model.
    ///
    /// - Throws: `internalFault` where there is none.
    public func callAsFunction(_ role: EffectRole) throws(MetaLearnersError) -> [Formula] {
        if let known = formulas[role], !known.isEmpty { return known }
        throw MetaLearnersError(
            .internalFault, at: role.name([]), "an effect is made of this model, and it has no formula")
    }
}

extension MetaLearner {
    /// What follows from the learner's form: the difference of two arms' outcomes, or what its effect model says.
    ///
    /// - Throws: `unsupported` for a learner of another form, which has to state its arithmetic.
    public func effectFormula(of arm: Int, _ nuisances: NuisanceFormulas, _ effects: EffectFormulas)
        throws(MetaLearnersError) -> Formula
    {
        switch Self.traits.form {
        case .comparison: return try nuisances.outcomeDifference(of: arm)
        case .regression:
            let joint = EffectRole(arm: 1, part: .joint)
            guard effectRoles(armCount: nuisances.armCount).contains(joint) else {
                return try effects(EffectRole(arm: arm))[0]
            }
            let outputs = try effects(joint)
            guard outputs.indices.contains(arm - 1) else { break }
            return outputs[arm - 1]
        case .combination: break
        }
        throw statesNoFormula
    }

    private var statesNoFormula: MetaLearnersError {
        MetaLearnersError(
            .unsupported, at: "learner",
            "the learner '\(Self.kind.rawValue)' makes effects by arithmetic of its own and states no formula of it",
            remedy: "implement effectFormula(of:_:_:) beside effect(of:_:_:)")
    }

    /// Checks on made-up numbers that the formula of the effect is what `effect` computes: a learner may have changed one and
    /// not the other.
    ///
    /// - Throws: `unsupported` where it is not.
    private func requireAgreement(armCount: Int) throws(MetaLearnersError) {
        let rows = 5
        var columns: [Column] = []
        var stream = RandomStream(seed: 0x464F_524D)
        func drawn() -> (values: [Double], formula: Formula) {
            let values = (0..<rows).map { _ in 0.05 + 0.9 * stream.uniform() }
            columns.append(Column("\(columns.count)", values))
            return (values, Formula(.number(column: columns.count - 1)))
        }
        var estimates = NuisanceEstimates(rowCount: rows, armCount: armCount)
        var formulas = NuisanceFormulas(armCount: armCount)
        let propensities = (0..<armCount).map { _ in drawn() }
        estimates.propensities = propensities.map(\.values)
        formulas.propensities = propensities.map(\.formula)
        for arm in 0..<armCount {
            let (outcome, marginal) = (drawn(), drawn())
            estimates.armOutcomes[arm] = outcome.values
            formulas.armOutcomes[arm] = outcome.formula
            estimates.marginalOutcomes[arm] = marginal.values
            formulas.marginalOutcomes[arm] = marginal.formula
        }
        var predictions: [EffectRole: [Double]] = [:]
        var effects: [EffectRole: [Formula]] = [:]
        for role in effectRoles(armCount: armCount) {
            let outputs = (0..<(role.part == .joint ? armCount - 1 : 1)).map { _ in drawn() }
            predictions[role] = (0..<rows).flatMap { row in outputs.map { $0.values[row] } }
            effects[role] = outputs.map(\.formula)
        }
        let graph = FormulaGraph(
            try (1..<armCount).map { arm throws(MetaLearnersError) in
                try effectFormula(of: arm, formulas, EffectFormulas(effects))
            })
        let values = try graph.evaluate(Table(columns))
        for arm in 1..<armCount {
            let expected = try effect(of: arm, estimates, EffectPredictions(predictions))
            guard expected.count == rows, zip(expected, values[arm - 1]).allSatisfy({ abs($0 - $1) < 1e-9 })
            else { throw statesNoFormula }
        }
    }

    /// The effect of every arm against control: by arm from 1 and, for an outcome of several classes, within an arm by class.
    func everyEffectFormula(_ nuisances: NuisanceFormulas, _ effects: EffectFormulas, _ kind: Outcome.Kind)
        throws(MetaLearnersError) -> [Formula]
    {
        try requireAgreement(armCount: nuisances.armCount)
        let byClass =
            kind.effectClasses.isEmpty ? [nuisances] : kind.effectClasses.indices.map(nuisances.ofClass)
        var all: [Formula] = []
        for arm in 1..<nuisances.armCount {
            for nuisances in byClass { all.append(try effectFormula(of: arm, nuisances, effects)) }
        }
        return all
    }
}

/// What a predictor's formulas are made of: the counterpart of `PredictorInput`.
public struct PredictorFormulas: Sendable {
    /// The covariates that formulas count by position.
    public let schema: CovariateSchema
    /// What the nuisances that the predictor asked for are computed by.
    public let nuisances: NuisanceFormulas
    /// Propensities that are known by design and the same in every row, for each arm; nil where they are estimated.
    package let knownPropensities: [Formula]?
    /// The spec of the model.
    public let spec: MetaLearnerSpec
    /// The arms, the control first.
    public let armLabels: [String]
    /// The kind of outcome.
    public let outcomeKind: Outcome.Kind
}

extension EffectPredictor {
    /// Nothing: a predictor that does not say what it computes.
    ///
    /// - Throws: `unsupported`, always.
    public func formulas(_ input: PredictorFormulas) throws(MetaLearnersError) -> [Formula] {
        throw MetaLearnersError(
            .unsupported, at: "learner",
            "the learner '\(input.spec.learner.rawValue)' does not say what it computes, so that it has no formula"
        )
    }
}

extension LearnerPredictor {
    func formulas(_ input: PredictorFormulas) throws(MetaLearnersError) -> [Formula] {
        var effects: [EffectRole: [Formula]] = [:]
        for fitted in effectModels {
            let formulas = try fitted.models.formulas(
                of: fitted.role.name(input.armLabels), input.spec.prediction,
                columnCount: input.schema.fields.count)
            effects[fitted.role] = try input.schema.placing(
                formulas, input.spec.models.model(of: fitted.role, input.armLabels))
        }
        return try learner.everyEffectFormula(input.nuisances, EffectFormulas(effects), input.outcomeKind)
    }
}

extension EnsemblePredictor {
    func formulas(_ input: PredictorFormulas) throws(MetaLearnersError) -> [Formula] {
        let ofMembers = try members.map { member throws(MetaLearnersError) in
            try member.effectFormulas(asMemberOf: input)
        }
        return stacks.enumerated().map { arm, stack in
            let used = stack.weights.indices.filter { stack.weights[$0] != 0 }
            return Formula(
                .linear(
                    intercept: stack.intercept, coefficients: used.map { stack.weights[$0] },
                    used.map { ofMembers[$0][arm] }))
        }
    }
}

extension CrossFittedModels {
    /// What `predict` computes of rows that the models were not fitted to: the model of all rows or, where there is none, the
    /// mean or the median of the folds' models, output by output.
    ///
    /// - Parameters:
    ///   - columnCount: how many covariates there are.
    ///   - propensities: known ones, for each arm.
    /// - Throws: `unsupported` for a model that has no formula, by the name of its part.
    func formulas(
        of part: String, _ rule: MetaLearnerSpec.Prediction, columnCount: Int,
        knowing propensities: [Formula]? = nil
    ) throws(MetaLearnersError) -> [Formula] {
        func formulas(_ model: any FittedEstimator) throws(MetaLearnersError) -> [Formula] {
            if let model = model as? any PropensityDependent {
                return try model.formulas(columnCount: columnCount, knowing: propensities)
            }
            return try model.formulas(of: part)
        }
        if let fullModel { return try formulas(fullModel) }
        return Self.combine(try foldModels.map(formulas), rule)
    }

    /// The mean (the median where the rule says so) of several lists, formula by formula.
    package static func combine(_ lists: [[Formula]], _ rule: MetaLearnerSpec.Prediction) -> [Formula] {
        guard let first = lists.first, lists.count > 1 else { return lists.first ?? [] }
        return first.indices.map { index in
            let all = lists.map { $0[index] }
            return Formula(rule == .median ? .median(all) : .mean(all))
        }
    }
}

extension CovariateSchema {
    /// Formulas of a model that sees some of the columns, as formulas of all.
    ///
    /// - Parameter treatment: the code of the arm that stands in the column behind those; nil where there is none.
    func placing(_ formulas: [Formula], _ placed: ModelsSpec.Placed, treatment: Int? = nil)
        throws(MetaLearnersError) -> [Formula]
    {
        let positions =
            try placed.model.columns(of: try emptyTable(), at: placed.place) ?? Array(fields.indices)
        return Formula.replacing(formulas) { column in
            if positions.indices.contains(column) { return .column(positions[column]) }
            return treatment.map { .value(Double($0)) } ?? .column(column)
        }
    }

    /// Formulas of a model of the same columns in another order, as formulas of these.
    ///
    /// - Throws: `unsupported` for a column that is not among these, or has other levels.
    func placing(_ formulas: [Formula], of other: CovariateSchema) throws(MetaLearnersError)
        -> [Formula]
    {
        let positions = try other.fields.map { field throws(MetaLearnersError) in
            guard let position = fields.firstIndex(of: field) else {
                throw MetaLearnersError(
                    .unsupported, at: "column '\(field.name)'",
                    "a member of the combination knows it otherwise than the whole")
            }
            return position
        }
        return Formula.replacing(formulas) { .column(positions.indices.contains($0) ? positions[$0] : $0) }
    }
}
