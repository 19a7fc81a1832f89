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
    /// The candidates' names and the mean weights of the folds, the constant first.
    let weights: [(name: String, weight: Double)]
    /// For each fold, the weights of the candidates that the spec adds.
    let alsoWeights: [[Double]]
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

    /// Combines the candidates by their out-of-fold R-loss: for the rows of a fold by the losses of all other rows, so that neither
    /// the models behind a row's effect nor their weights are fitted to its outcome.
    ///
    /// - Parameters:
    ///   - effects: the results of the members of effects.
    ///   - also: more candidates: names, and effects of every row out of fold.
    func combine(
        _ nuisances: AutoNuisances, _ effects: AutoNuisances.Results, _ residuals: Residuals,
        also: [(name: String, values: [Double])], width: Int, folds: FoldAssignment
    ) throws(MetaLearnersError) -> AutoEffect {
        let rows = rows.filter { residuals.hasOverlap?[Int($0)] ?? true }
        // The constant comes first: its value is 1 until its level is known.
        var candidates = [
            AutoCandidate(
                name: "constant", values: [Double](repeating: 1, count: dataset.rowCount),
                formulas: [MemberFormula](
                    repeating: MemberFormula(MemberSum(constant: 1, width: width)), count: folds.count))
        ]
        candidates += try comparisons(nuisances, width: width, folds: folds.count)
        candidates += try regressions(effects, residuals.share, width: width, folds: folds.count)
        let own = candidates.count
        let none = MemberFormula(MemberSum(width: width))
        candidates += also.map {
            AutoCandidate(
                name: $0.name, values: $0.values,
                formulas: [MemberFormula](repeating: none, count: folds.count))
        }
        func taking(_ list: [Double]) -> [Double] { rows.map { list[Int($0)] } }
        let slopes = taking(residuals.treatment)
        let sums = try StackSums(
            candidates.map { candidate in zip(slopes, rows).map { $0 * candidate.values[Int($1)] } },
            target: taking(residuals.outcome), rowWeights: dataset.weights.map(taking),
            groups: rows.map { folds.folds[Int($0)] }, count: folds.count, .sumToOne, dataset.distribution)
        let unit = try rowsPerWeight(rows)
        func weighed(_ sums: StackSums.Group?) throws(MetaLearnersError) -> CandidateWeights {
            guard let sums else { throw MetaLearnersError(.internalFault, at: "auto", "there are no folds") }
            return CandidateWeights(sums, unit: unit, settings)
        }
        let ofFolds = try CandidateWeights.agreed(
            (0..<folds.count).map { fold throws(MetaLearnersError) in try weighed(sums.rest(of: fold)) },
            dataset.distribution)
        let whole = sums.total(without: nil)
        let level = try weighed(whole).constant
        let plausible = try dataset.distribution.agreed(
            settings.plausibility.weights(
                losses: whole.map { CandidateWeights.losses($0, constant: level, unit: unit) } ?? [],
                rowCount: (whole?.weight ?? 0) * unit))
        return AutoEffect(
            values: combined(candidates, ofFolds, folds),
            formulas: ofFolds.enumerated().map { fold, found in
                .sum(
                    candidates.map { $0.formulas[fold] }, weights: found.factors, constant: found.shift,
                    width: width)
            }, models: nuisances.results.models.merging(effects.models) { own, _ in own },
            weights: candidates.enumerated().map { index, candidate in
                (candidate.name, ofFolds.reduce(0) { $0 + $1.weights[index] } / Double(folds.count))
            }, alsoWeights: ofFolds.map { Array($0.weights[own...]) },
            disagreement: try Disagreement.meanSquare(
                [[Double](repeating: level, count: dataset.rowCount)]
                    + candidates.dropFirst().map(\.values), weights: plausible, rows: rows,
                rowWeights: dataset.weights, dataset.distribution))
    }

    /// The weighted sum of the candidates at every row, by the weights of its fold.
    private func combined(
        _ candidates: [AutoCandidate], _ ofFolds: [CandidateWeights], _ folds: FoldAssignment
    ) -> [Double] {
        var values = folds.folds.map { ofFolds[Int($0)].shift }
        for (index, candidate) in candidates.enumerated() {
            let factors = ofFolds.map { $0.factors[index] }
            guard factors.contains(where: { $0 != 0 }) else { continue }
            for row in values.indices {
                values[row] += factors[Int(folds.folds[row])] * candidate.values[row]
            }
        }
        return values
    }

    /// What turns a sum of weights into as many rows of equal weight as say as much (Kish), because the unit of weights has no
    /// meaning: Σ w / Σ w².
    private func rowsPerWeight(_ rows: [Int32]) throws(MetaLearnersError) -> Double {
        var total = 0.0
        var squares = 0.0
        for row in rows.map(Int.init) {
            total += weight(row)
            squares += weight(row) * weight(row)
        }
        let sums = try dataset.distribution.sum([total, squares])
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

    /// The candidates that were fitted to effects: a Bayesian causal forest, R- and X-learners.
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
            alone("bcf", .bartBesideControl), alone("r lasso", .effectLasso),
            alone("r ridge, linear", .effectRidge),
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
