import LinearEstimators
import MetaLearnersCore

/// What a pair's effect became.
struct AutoEffect: Sendable {
    /// The effect of every row, by models that have not seen it.
    let values: [Double]
    /// The function of each fold.
    let formulas: [EnsembleFormula]
    /// The trees of effects, by source, for each fold.
    let trees: [EnsemblePart.Source: [any FittedEstimator]]
    /// The candidates' names and weights, the constant first.
    let weights: [(name: String, weight: Double)]
}

extension AutoPair {
    /// Fits the members that learn from residuals and from imputed effects, and combines all.
    ///
    /// - Parameter hasOverlap: which rows take part; nil for all.
    func fitEffects(
        _ nuisances: AutoNuisances, hasOverlap: [Bool]?, _ members: MemberFits, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> AutoEffect {
        let isFull = settings.recipe == .full
        let taking = { (rows: [Int32]) in rows.filter { hasOverlap?[Int($0)] ?? true } }
        let rows = taking(self.rows)
        let share =
            dataset.knownPropensities == nil
            ? nuisances.share.map { Self.bounded($0, settings.leastShare) } : nuisances.share
        let rest = zip(outcome, nuisances.marginal).map { $0 - $1 }
        let residual = zip(treated, share).map { $0 - $1 }
        let imputed = [
            zip(nuisances.means[1], outcome).map { $0 - $1 },
            zip(outcome, nuisances.means[0]).map { $0 - $1 },
        ]
        let lasso = LinearPath.Problem.Method.lasso(stages: settings.lassoStages)
        var linear: [(name: String, problem: LinearPath.Problem)] = [
            (
                "r lasso",
                .init(method: lasso, map: largestMap, rows: rows, target: rest, regressor: residual)
            ),
            (
                "r ridge, linear",
                .init(method: .ridge, map: .none, rows: rows, target: rest, regressor: residual)
            ),
        ]
        var trees = [
            try self.trees(.effect, rows: rows, target: rest, objective: .residual(regressor: residual))
        ]
        if isFull {
            linear.append(
                (
                    "r lasso, linear",
                    .init(method: lasso, map: .none, rows: rows, target: rest, regressor: residual)
                ))
            for member in 0...1 {
                let own = taking(rowsOfArm[member])
                linear.append(
                    ("x lasso", .init(method: lasso, map: largestMap, rows: own, target: imputed[member])))
                linear.append(
                    ("x ridge, linear", .init(method: .ridge, map: .none, rows: own, target: imputed[member]))
                )
                trees.append(
                    try self.trees(
                        member == 0 ? .imputedControl : .imputedArm, rows: own, target: imputed[member]))
            }
        }
        let fits = try members.fit(linear.map(\.problem), trees, stage: "effects", scheduler)
        var paths: [TreePath] = []
        for (problem, fit) in zip(trees, fits.trees) {
            paths.append(try path(problem, fit, members, slope: paths.isEmpty ? residual : nil))
        }
        let folds = members.folds.count
        let constant = level(rest, residual, effect: nil, rows)
        var candidates = [
            AutoCandidate(
                name: "constant", values: [Double](repeating: constant, count: dataset.rowCount),
                formulas: [EnsembleFormula](
                    repeating: EnsembleFormula(EnsemblePart(constant: constant, width: width)), count: folds))
        ]
        candidates += nuisances.effects
        for (entry, path) in zip(linear, fits.linear).prefix(isFull ? 3 : 2) {
            candidates.append(
                AutoCandidate(
                    name: entry.name, values: path.outOfFold,
                    formulas: path.functions.map { EnsembleFormula(EnsemblePart($0)) }))
        }
        var sources = nuisances.trees
        sources[.effect] = paths[0].models
        candidates.append(
            AutoCandidate(
                name: "r trees", values: paths[0].outOfFold[0],
                formulas: [EnsembleFormula](
                    repeating: EnsembleFormula(EnsemblePart(.effect, width: width)), count: folds)))
        if isFull {
            sources[.imputedControl] = paths[1].models
            sources[.imputedArm] = paths[2].models
            for (onControl, onArm) in [(3, 5), (4, 6)] {
                let parts = [fits.linear[onControl], fits.linear[onArm]]
                candidates.append(
                    mixed(
                        linear[onControl].name, parts.map(\.outOfFold),
                        parts.map { $0.functions.map { EnsemblePart($0) } }, share))
            }
            candidates.append(
                mixed(
                    "x trees", [paths[1].outOfFold[0], paths[2].outOfFold[0]],
                    [EnsemblePart.Source.imputedControl, .imputedArm].map {
                        [EnsemblePart](repeating: EnsemblePart($0, width: width), count: folds)
                    }, share))
        }
        return combine(candidates, rest, residual, rows, sources)
    }

    /// e·τ_control + (1 − e)·τ_arm.
    private func mixed(_ name: String, _ values: [[Double]], _ parts: [[EnsemblePart]], _ share: [Double])
        -> AutoCandidate
    {
        AutoCandidate(
            name: name,
            values: share.indices.map { share[$0] * values[0][$0] + (1 - share[$0]) * values[1][$0] },
            formulas: zip(parts[0], parts[1]).map { control, arm in
                var difference = control
                difference.add(arm, times: -1)
                return EnsembleFormula(arm, share: difference)
            })
    }

    /// Σ w(W−e)·(rest − (W−e)·effect) / Σ w(W−e)²: what a constant would add to an effect.
    private func level(_ rest: [Double], _ residual: [Double], effect: [Double]?, _ rows: [Int32]) -> Double {
        var top = 0.0
        var bottom = 0.0
        for row in rows.map(Int.init) {
            let slope = residual[row]
            top += weight(row) * slope * (rest[row] - slope * (effect?[row] ?? 0))
            bottom += weight(row) * slope * slope
        }
        return bottom > 0 ? top / bottom : 0
    }

    /// Weights the candidates by their out-of-fold R-loss.
    private func combine(
        _ candidates: [AutoCandidate], _ rest: [Double], _ residual: [Double], _ rows: [Int32],
        _ sources: [EnsemblePart.Source: [any FittedEstimator]]
    ) -> AutoEffect {
        var total = 0.0
        var squares = 0.0
        for row in rows.map(Int.init) {
            total += weight(row)
            squares += weight(row) * weight(row)
        }
        // As many rows of equal weight as say as much (Kish): the unit of weights has no meaning.
        let count = squares > 0 ? total * total / squares : 0
        let losses = candidates.map { candidate in
            rows.reduce(0.0) { sum, row in
                let row = Int(row)
                let error = rest[row] - residual[row] * candidate.values[row]
                return sum + weight(row) * error * error
            } * (total > 0 ? count / total : 0)
        }
        let weights = settings.weights.weights(losses: losses, rowCount: count)
        var values = [Double](repeating: 0, count: dataset.rowCount)
        for (candidate, weight) in zip(candidates, weights) {
            for row in values.indices { values[row] += weight * candidate.values[row] }
        }
        let shift = settings.residualShare * level(rest, residual, effect: values, rows)
        for row in values.indices { values[row] += shift }
        return AutoEffect(
            values: values,
            formulas: (candidates.first?.formulas ?? []).indices.map { fold in
                .sum(candidates.map { $0.formulas[fold] }, weights: weights, constant: shift, width: width)
            }, trees: sources, weights: zip(candidates, weights).map { ($0.name, $1) })
    }

    /// Chooses the number of rounds by squared error: of the R-loss, given a slope.
    private func path(
        _ problem: TreePath.Problem, _ fits: [TreePath.Fold], _ members: MemberFits, slope: [Double]?
    ) throws(MetaLearnersError) -> TreePath {
        var counts = [Bool](repeating: false, count: dataset.rowCount)
        for row in problem.task.rows { counts[Int(row)] = true }
        let target = problem.task.target
        return try TreePath(problem, fits, rowsInFold: members.rowsInFold, rowCount: dataset.rowCount) {
            row, prediction in
            guard counts[row] else { return 0 }
            let error = target[row] - (slope?[row] ?? 1) * prediction(0)
            return weight(row) * error * error
        }
    }
}
