import MetaLearners
import MetaLearnersCore

/// What a pair's effect became.
struct AutoEffect: Sendable {
    /// The effect of every row, by models that have not seen it.
    let values: [Double]
    /// The function of each fold, of `auto`'s own candidates.
    let formulas: [MemberFormula]
    /// The models in it, by source, for each fold.
    let models: [MemberSum.Source: [any FittedEstimator]]
    /// The candidates' names and weights, the constant first.
    let weights: [(name: String, weight: Double)]
    /// The weights of the candidates that the spec adds.
    let alsoWeights: [Double]
    /// How far candidates disagree that the data do not rule out.
    let disagreement: Double
}

/// A candidate for the effect.
struct AutoCandidate: Sendable {
    let name: String
    /// The effect of every row by the model of its fold.
    let values: [Double]
    /// The function of each fold.
    let formulas: [MemberFormula]
}

extension AutoPair {
    /// What members of effects are fitted to.
    func residuals(_ nuisances: AutoNuisances, hasOverlap: [Bool]?) -> Residuals {
        let share =
            dataset.knownPropensities == nil
            ? nuisances.share.map { Self.bounded($0, settings.leastShare) } : nuisances.share
        return Residuals(
            outcome: zip(outcome, nuisances.marginal).map { $0 - $1 },
            treatment: zip(treated, share).map { $0 - $1 },
            imputed: [
                zip(nuisances.means[1], outcome).map { $0 - $1 },
                zip(outcome, nuisances.means[0]).map { $0 - $1 },
            ], share: share, hasOverlap: hasOverlap)
    }

    /// Combines the candidates by their out-of-fold R-loss.
    ///
    /// - Parameters:
    ///   - effects: the results of the members of effects.
    ///   - also: more candidates: names, and effects of every row out of fold.
    func combine(
        _ nuisances: AutoNuisances, _ effects: AutoNuisances.Results, _ residuals: Residuals,
        also: [(name: String, values: [Double])], width: Int, folds: Int
    ) throws(MetaLearnersError) -> AutoEffect {
        let rows = rows.filter { residuals.hasOverlap?[Int($0)] ?? true }
        let loss = PseudoOutcome(residuals.outcome, residualOf: residuals.treatment, rows: rows)
        let constant = try level(loss, effect: nil)
        let sum = MemberSum(constant: constant, width: width)
        var candidates = [
            AutoCandidate(
                name: "constant", values: [Double](repeating: constant, count: dataset.rowCount),
                formulas: [MemberFormula](repeating: MemberFormula(sum), count: folds))
        ]
        candidates += try comparisons(nuisances, width: width, folds: folds)
        candidates += try regressions(effects, residuals.share, width: width, folds: folds)
        let own = candidates.count
        let none = MemberFormula(MemberSum(width: width))
        candidates += also.map {
            AutoCandidate(
                name: $0.name, values: $0.values,
                formulas: [MemberFormula](repeating: none, count: folds))
        }
        let (count, total) = try effectiveRowCount(rows)
        func rowsLosses(of values: [[Double]]) throws(MetaLearnersError) -> [Double] {
            try dataset.distribution.sum(values.map { loss.loss(of: $0, weights: dataset.weights) })
                .map { $0 * (total > 0 ? count / total : 0) }
        }
        let losses = try rowsLosses(of: candidates.map(\.values))
        let mixture = try mixture(of: candidates, loss)
        let mixtureLoss = try rowsLosses(of: [combined(candidates, mixture)])[0]
        let weights = try dataset.distribution.agreed(
            settings.weights.weights(
                losses: losses, mixture: mixture, mixtureLoss: mixtureLoss,
                penalty: settings.mixturePenalty, rowCount: count))
        var values = combined(candidates, weights)
        let shift = settings.residualShare * (try level(loss, effect: values))
        for row in values.indices { values[row] += shift }
        return AutoEffect(
            values: values,
            formulas: (0..<folds).map { fold in
                .sum(candidates.map { $0.formulas[fold] }, weights: weights, constant: shift, width: width)
            }, models: nuisances.results.models.merging(effects.models) { own, _ in own },
            weights: zip(candidates, weights).map { ($0.name, $1) }, alsoWeights: Array(weights[own...]),
            disagreement: try Disagreement.meanSquare(
                candidates.map(\.values),
                weights: dataset.distribution.agreed(
                    settings.plausibility.weights(losses: losses, rowCount: count)), rows: rows,
                rowWeights: dataset.weights, dataset.distribution))
    }

    /// The weights, not negative and adding up to one, of the mixture of all candidates that has the least R-loss.
    private func mixture(of candidates: [AutoCandidate], _ loss: PseudoOutcome) throws(MetaLearnersError)
        -> [Double]
    {
        let rows = loss.rows.map(Int.init)
        return try ConvexStack(
            candidates.map { candidate in rows.map { loss.residuals[0][$0] * candidate.values[$0] } },
            target: rows.map { loss.values[$0] },
            rowWeights: dataset.weights.map { all in rows.map { all[$0] } },
            .sumToOne, dataset.distribution
        ).weights
    }

    /// The weighted sum of the candidates at every row.
    private func combined(_ candidates: [AutoCandidate], _ weights: [Double]) -> [Double] {
        var values = [Double](repeating: 0, count: dataset.rowCount)
        for (candidate, weight) in zip(candidates, weights) where weight != 0 {
            for row in values.indices { values[row] += weight * candidate.values[row] }
        }
        return values
    }

    /// As many rows of equal weight as say as much (Kish), because the unit of weights has no meaning; and the sum of the weights.
    private func effectiveRowCount(_ rows: [Int32]) throws(MetaLearnersError)
        -> (count: Double, total: Double)
    {
        var total = 0.0
        var squares = 0.0
        for row in rows.map(Int.init) {
            total += weight(row)
            squares += weight(row) * weight(row)
        }
        let sums = try dataset.distribution.sum([total, squares])
        return (sums[1] > 0 ? sums[0] * sums[0] / sums[1] : 0, sums[0])
    }

    /// Σ w(W−e)·(rest − (W−e)·effect) / Σ w(W−e)²: what a constant would add to an effect.
    private func level(_ loss: PseudoOutcome, effect: [Double]?) throws(MetaLearnersError) -> Double {
        var top = 0.0
        var bottom = 0.0
        for row in loss.rows.map(Int.init) {
            let slope = loss.residuals[0][row]
            top += weight(row) * slope * (loss.values[row] - slope * (effect?[row] ?? 0))
            bottom += weight(row) * slope * slope
        }
        let sums = try dataset.distribution.sum([top, bottom])
        return sums[1] > 0 ? sums[0] / sums[1] : 0
    }

    /// The candidates that compare outcomes: S- and T-learners.
    private func comparisons(_ nuisances: AutoNuisances, width: Int, folds: Int) throws(MetaLearnersError)
        -> [AutoCandidate]
    {
        let results = nuisances.results
        func minus(_ left: [Double], _ right: [Double]) -> [Double] { zip(left, right).map { $0 - $1 } }
        func models(_ name: String, _ values: [[Double]], _ sources: [MemberSum.Source]) -> AutoCandidate {
            var sum = MemberSum(sources[1], width: width)
            sum.add(MemberSum(sources[0], width: width), times: -1)
            return AutoCandidate(
                name: name, values: minus(values[1], values[0]),
                formulas: [MemberFormula](repeating: MemberFormula(sum), count: folds))
        }
        var candidates: [AutoCandidate] = []
        if let joint = results[.jointTrees] {
            candidates.append(
                models(
                    "s trees", joint.outOfFold,
                    [MemberSum.Source(.jointTrees, arm: 0), MemberSum.Source(.jointTrees, arm: 1)]))
        }
        let lassos: [(String, AutoMember.Name)] = [
            ("s lasso, linear effect", .jointLassoLinear), ("s lasso", .jointLasso),
        ]
        for (name, member) in lassos {
            guard let lasso = results[member]?.linear else { continue }
            candidates.append(
                AutoCandidate(
                    name: name, values: lasso.outOfFoldSlopes,
                    formulas: lasso.slopes.map { MemberFormula(MemberSum($0)) }))
        }
        let control = try results.linear(.controlLasso)
        let arm = try results.linear(.armLasso)
        candidates.append(
            AutoCandidate(
                name: "t lasso", values: minus(arm.outOfFold, control.outOfFold),
                formulas: (0..<folds).map { fold in
                    var sum = MemberSum(arm.functions[fold])
                    sum.add(MemberSum(control.functions[fold]), times: -1)
                    return MemberFormula(sum)
                }))
        candidates.append(
            models(
                "t trees", [try results(.controlTrees).outOfFold[0], try results(.armTrees).outOfFold[0]],
                [MemberSum.Source(.controlTrees), MemberSum.Source(.armTrees)]))
        candidates.append(
            AutoCandidate(
                name: "t stack", values: minus(nuisances.means[1], nuisances.means[0]),
                formulas: (0..<folds).map { fold in
                    var formula = nuisances.meanFormulas[1][fold]
                    formula.add(nuisances.meanFormulas[0][fold], times: -1)
                    return formula
                }))
        return candidates
    }

    /// The candidates that were fitted to effects: R- and X-learners.
    private func regressions(
        _ results: AutoNuisances.Results, _ share: [Double], width: Int, folds: Int
    ) throws(MetaLearnersError) -> [AutoCandidate] {
        /// A member as it stands.
        func alone(_ name: String, _ member: AutoMember.Name) -> AutoCandidate? {
            results[member].map { result in
                AutoCandidate(
                    name: name, values: result.outOfFold[0],
                    formulas: sums(member, result, width: width, folds: folds).map { MemberFormula($0) })
            }
        }
        /// e·τ_control + (1 − e)·τ_arm.
        func mixed(_ name: String, _ control: AutoMember.Name, _ arm: AutoMember.Name) -> AutoCandidate? {
            guard let ofControl = results[control], let ofArm = results[arm] else { return nil }
            let onControl = ofControl.outOfFold[0]
            let onArm = ofArm.outOfFold[0]
            return AutoCandidate(
                name: name,
                values: share.indices.map { share[$0] * onControl[$0] + (1 - share[$0]) * onArm[$0] },
                formulas: zip(
                    sums(control, ofControl, width: width, folds: folds),
                    sums(arm, ofArm, width: width, folds: folds)
                ).map { control, arm in
                    var difference = control
                    difference.add(arm, times: -1)
                    return MemberFormula(arm, share: difference)
                })
        }
        return [
            alone("r lasso", .effectLasso), alone("r ridge, linear", .effectRidge),
            alone("r lasso, linear", .effectLassoLinear), alone("r trees", .effectTrees),
            mixed("x lasso", .imputedControlLasso, .imputedArmLasso),
            mixed("x ridge, linear", .imputedControlRidge, .imputedArmRidge),
            mixed("x trees", .imputedControlTrees, .imputedArmTrees),
            mixed("x deep trees", .deepImputedControlTrees, .deepImputedArmTrees),
        ].compactMap(\.self)
    }

    /// A member's function of each fold.
    private func sums(_ name: AutoMember.Name, _ result: MemberRun.Result, width: Int, folds: Int)
        -> [MemberSum]
    {
        result.linear.map { $0.functions.map { MemberSum($0) } }
            ?? [MemberSum](repeating: MemberSum(MemberSum.Source(name), width: width), count: folds)
    }
}
