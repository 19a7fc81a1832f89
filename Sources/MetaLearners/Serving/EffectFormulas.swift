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
                of: fitted.role.name(input.armLabels), input.spec.prediction)
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
    /// - Throws: `unsupported` for a model that has no formula, by the name of its part.
    func formulas(of part: String, _ rule: MetaLearnerSpec.Prediction) throws(MetaLearnersError) -> [Formula]
    {
        if let fullModel { return try fullModel.formulas(of: part) }
        let folds = try foldModels.map { model throws(MetaLearnersError) in try model.formulas(of: part) }
        return Self.combine(folds, rule)
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
    /// A table without rows that has these columns.
    private func emptyTable() throws(MetaLearnersError) -> Table {
        try Table(
            fields.map { field in
                switch field.kind {
                case .numeric: Column(field.name, [Double]())
                case .categorical(let levels):
                    Column(field.name, codes: StridedValues([Int32]()), levels: levels)
                }
            })
    }

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
    fileprivate func placing(_ formulas: [Formula], of other: CovariateSchema) throws(MetaLearnersError)
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

extension CATEModel {
    /// What `predict(_:_:)` computes of new rows: for each arm but the control (and within an arm for each class of an outcome
    /// of several) the formula of its effect, on the columns of `schema` by position.
    ///
    /// Nuisances that effects take are part of it, with their calibration and the bounds of the overlap policy. Evaluate it on
    /// `schema.align(table).table`; values that `data.missing_values` names are to be marked as missing before.
    ///
    /// - Throws: `unsupported`, saying which part has no formula.
    public func effectFormulas() throws(MetaLearnersError) -> [Formula] {
        var known: [Formula]?
        if overlap.isKnown, fitted.needsPropensities(armCount: armLabels.count) {
            guard let shares = try spec.data.shares(armCount: armLabels.count) else {
                throw MetaLearnersError(
                    .unsupported, at: "propensity",
                    "effects depend on known propensities of each row, which are no covariates",
                    remedy:
                        "give the shares of the trial as numbers, or a learner whose effects do not take them"
                )
            }
            known = shares.map(Formula.constant)
        }
        return try effectFormulas(knowing: known)
    }

    /// The formulas of `effectFormulas()` as one document: `columns` with name and levels, `effects` by name, and the `nodes`
    /// and `outputs` of `FormulaGraph.specValue`.
    ///
    /// - Throws: `unsupported`, saying which part has no formula.
    public func effectFormulaDocument() throws(MetaLearnersError) -> SpecValue {
        let graph = FormulaGraph(try effectFormulas()).specValue.objectValue ?? SpecObject()
        let columns: [SpecValue] = schema.fields.map { field in
            guard case .categorical(let levels) = field.kind else { return ["name": .string(field.name)] }
            return ["name": .string(field.name), "levels": .array(levels.map(SpecValue.string))]
        }
        let names = try columnNames(PredictionRequest(scale: .difference))
        return .object(
            SpecObject(
                [("columns", .array(columns)), ("effects", .array(names.map(SpecValue.string)))]
                    + graph.entries.map { ($0.key, $0.value) }))
    }

    /// The formulas of a member of a combination, on the columns of the whole.
    package func effectFormulas(asMemberOf input: PredictorFormulas) throws(MetaLearnersError) -> [Formula] {
        do throws(MetaLearnersError) {
            return try input.schema.placing(effectFormulas(knowing: input.knownPropensities), of: schema)
        } catch {
            throw MetaLearnersError(
                error.kind,
                at: [spec.learner.rawValue, error.location].compactMap(\.self).joined(separator: ": "),
                error.problem, remedy: error.remedy)
        }
    }

    private func effectFormulas(knowing known: [Formula]?) throws(MetaLearnersError) -> [Formula] {
        let roles = predictor.nuisanceRoles(armCount: armLabels.count)
        var nuisances = NuisanceFormulas(armCount: armLabels.count)
        let used = nuisanceModels.filter {
            roles.contains($0.role) && !($0.role == .propensity && known != nil)
        }
        // The S-learner's model gives every arm's outcome as well; an arm's own model goes before it.
        for fitted in used.filter({ $0.role == .joint }) + used.filter({ $0.role != .joint }) {
            let formulas = try fitted.models.formulas(of: fitted.role.name(armLabels), spec.prediction)
            let placed = spec.models.model(of: fitted.role, armLabels)
            let arms = fitted.role == .joint ? armLabels.indices.map { Int?($0) } : [nil]
            nuisances.store(
                try arms.map { arm throws(MetaLearnersError) in
                    try schema.placing(formulas, placed, treatment: arm)
                }, of: fitted.role, outcomeKind)
        }
        nuisances.propensities =
            known ?? nuisances.propensities.map { spec.overlap.served(calibration?.calibrated($0) ?? $0) }
        let effects = try predictor.formulas(
            PredictorFormulas(
                schema: schema, nuisances: nuisances, knownPropensities: known, spec: spec,
                armLabels: armLabels, outcomeKind: outcomeKind))
        guard effects.count == (armLabels.count - 1) * outcomeKind.effectCount else {
            throw MetaLearnersError(
                .corruptModel, at: "effects", "the models within do not belong together")
        }
        return effects
    }
}

extension OverlapSpec {
    /// Propensities within the bounds: of two arms the treated arm's, the control's being the rest.
    fileprivate func served(_ propensities: [Formula]) -> [Formula] {
        func clipped(_ propensity: Formula) -> Formula {
            Formula(.clip(propensity, lower: low(), upper: high()))
        }
        guard propensities.count == 2 else { return propensities.map(clipped) }
        let treated = clipped(propensities[1])
        return [Formula(.difference(.constant(1), treated)), treated]
    }
}

extension PropensityCalibration {
    /// What `calibrated` computes.
    fileprivate func calibrated(_ predicted: [Formula]) -> [Formula] {
        func inside(_ value: Formula) -> Formula {
            Formula(.clip(value, lower: Self.margin, upper: 1 - Self.margin))
        }
        if curves.count == 1, predicted.count == 2 {
            let treated = inside(curves[0].formula(of: predicted[1]))
            return [Formula(.difference(.constant(1), treated)), treated]
        }
        guard curves.count == predicted.count else { return predicted }
        let all = zip(curves, predicted).map { inside($0.formula(of: $1)) }
        let sum = Formula(.sum(all))
        return all.map { Formula(.quotient($0, sum, otherwise: nil)) }
    }
}

extension CalibrationCurve {
    fileprivate func formula(of prediction: Formula) -> Formula {
        switch self {
        case .isotonic(let predictions, let values):
            return predictions.isEmpty
                ? prediction : Formula(.curve(prediction, points: predictions, values: values))
        case .platt(let slope, let intercept):
            let share = Formula(.clip(prediction, lower: 1e-12, upper: 1 - 1e-12))
            let odds = Formula(
                .quotient(share, Formula(.difference(.constant(1), share)), otherwise: nil))
            return Formula(
                .sigmoid(
                    Formula(
                        .linear(intercept: intercept, coefficients: [slope], [Formula(.log(odds))]))))
        }
    }
}
