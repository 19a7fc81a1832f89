import MetaLearnersCore

extension CATEModel {
    /// What `predict(request, for: .new(table))` computes, as formulas on the columns of `schema` by position: one for each
    /// column of that prediction. Effects, on any scale, arm means and propensities have formulas.
    ///
    /// Nuisances that effects take are part of it, with their calibration and the bounds of the overlap policy. Evaluate it on
    /// `schema.align(table).table`; values that `data.missing_values` names are to be marked as missing before.
    ///
    /// - Throws: what `predict` throws of the request, and `unsupported`, saying which part has no formula.
    public func formulas(_ request: PredictionRequest = PredictionRequest()) throws(MetaLearnersError)
        -> [Formula]
    {
        _ = try columnNames(request)
        switch request.output {
        case .effects:
            let contrasts = try ArmContrast.list(request, armLabels)
            let scale = try scale(of: request)
            guard scale != .difference else {
                let effects = try effectFormulas(
                    knowing: fitted.needsPropensities(armCount: armLabels.count)
                        ? knownPropensityFormulas() : nil)
                return contrasts.flatMap {
                    $0.differences(effects, width: outcomeKind.effectCount) { left, right in
                        Formula(.difference(left ?? .constant(0), right))
                    }
                }
            }
            let means = try armMeanFormulas()
            return contrasts.flatMap { contrast in
                zip(means[contrast.arm], means[contrast.baseline]).map { scale.comparing($0, $1) }
            }
        case .armMeans:
            let means = try armMeanFormulas()
            return try arms(of: request).flatMap { means[$0] }
        case .propensities:
            var propensities = try knownPropensityFormulas()
            if propensities == nil {
                propensities = try nuisanceFormulas([.propensity], nuisanceModels).propensities
            }
            guard let propensities else {
                throw MetaLearnersError(.unsupported, at: "model", "it has no model of the propensities")
            }
            return try arms(of: request).map { propensities[$0] }
        case .intervals, .stability, .individualIntervals:
            throw MetaLearnersError(
                .unsupported, at: request.output.rawValue, "they have no formula",
                remedy: "formulas are of effects, arm_means and propensities")
        }
    }

    /// The formulas of a request with the columns that they read and the names of what they give.
    ///
    /// - Throws: what `formulas` throws.
    public func formulaDocument(_ request: PredictionRequest = PredictionRequest()) throws(MetaLearnersError)
        -> FormulaDocument
    {
        try FormulaDocument(
            schema: schema, names: columnNames(request), graph: FormulaGraph(formulas(request)),
            missingValues: spec.data.missingValues)
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

    /// The shares of a trial as constants; nil where propensities are estimated.
    ///
    /// - Throws: `unsupported` where they are known for each row.
    private func knownPropensityFormulas() throws(MetaLearnersError) -> [Formula]? {
        guard overlap.isKnown else { return nil }
        guard let shares = try spec.data.shares(armCount: armLabels.count) else {
            throw MetaLearnersError(
                .unsupported, at: "propensity",
                "the prediction depends on known propensities of each row, which are no covariates",
                remedy: "give the shares of the trial as numbers, or a learner whose effects do not take them"
            )
        }
        return shares.map(Formula.constant)
    }

    private func effectFormulas(knowing known: [Formula]?) throws(MetaLearnersError) -> [Formula] {
        let roles = predictor.nuisanceRoles(armCount: armLabels.count)
        var nuisances = try nuisanceFormulas(
            known == nil ? roles : roles.subtracting([.propensity]), nuisanceModels)
        if let known { nuisances.propensities = known }
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

    /// The mean of each arm, for each class.
    private func armMeanFormulas() throws(MetaLearnersError) -> [[Formula]] {
        let roles = fitted.nuisanceModels.map(\.role).filter {
            switch $0 {
            case .joint, .armOutcome: true
            case .propensity, .marginalOutcome: false
            }
        }
        let nuisances = try nuisanceFormulas(
            Set(roles), fitted.nuisanceModels,
            knowing: fitted.hasDependentModels ? knownPropensityFormulas() : nil)
        return try armLabels.indices.map { arm throws(MetaLearnersError) in
            if let classes = nuisances.classOutcomes[arm] { return classes }
            return [try nuisances.armOutcome(arm)]
        }
    }

    /// What models of nuisances compute: propensities calibrated and within their bounds.
    ///
    /// - Parameter known: known propensities, for models that depend on them.
    private func nuisanceFormulas(
        _ roles: Set<NuisanceRole>, _ models: [FittedRole<NuisanceRole>], knowing known: [Formula]? = nil
    ) throws(MetaLearnersError) -> NuisanceFormulas {
        var nuisances = NuisanceFormulas(armCount: armLabels.count)
        let used = models.filter { roles.contains($0.role) }
        // The S-learner's model gives every arm's outcome as well; an arm's own model goes before it.
        for fitted in used.filter({ $0.role == .joint }) + used.filter({ $0.role != .joint }) {
            let formulas = try fitted.models.formulas(
                of: fitted.role.name(armLabels), spec.prediction, columnCount: schema.fields.count,
                knowing: known)
            let placed = spec.models.model(of: fitted.role, armLabels)
            let arms = fitted.role == .joint ? armLabels.indices.map { Int?($0) } : [nil]
            nuisances.store(
                try arms.map { arm throws(MetaLearnersError) in
                    try schema.placing(formulas, placed, treatment: arm)
                }, of: fitted.role, outcomeKind)
        }
        nuisances.propensities = nuisances.propensities.map {
            spec.overlap.served(calibration?.calibrated($0) ?? $0)
        }
        return nuisances
    }
}

extension EffectScale {
    /// What `comparing` computes.
    fileprivate func comparing(_ mean: Formula, _ baseline: Formula) -> Formula {
        func odds(_ share: Formula) -> Formula {
            Formula(.quotient(share, Formula(.difference(.constant(1), share)), otherwise: nil))
        }
        switch self {
        case .difference: return Formula(.difference(mean, baseline))
        case .ratio: return Formula(.quotient(mean, baseline, otherwise: nil))
        case .oddsRatio: return Formula(.quotient(odds(mean), odds(baseline), otherwise: nil))
        }
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
