import LinearEstimators
import MetaLearnersCore
import TreeEstimators

/// What a pair's nuisances became: at every row out of fold, and as formulas of the folds.
struct AutoNuisances: Sendable {
    /// ē(x), stacked, before any clipping but to the open unit interval; known ones where there are any.
    let share: [Double]
    /// The propensity of each fold; none where it is known.
    let shareBlends: [ShareBlend]
    /// μ of the control and of the arm.
    let means: [[Double]]
    /// The same as formulas, for each fold.
    let meanFormulas: [[EnsembleFormula]]
    /// m.
    let marginal: [Double]
    /// The members that are effects already: of the joint models, and of the arms'.
    let effects: [AutoCandidate]
    /// The trees of outcomes, by source, for each fold.
    let trees: [EnsemblePart.Source: [any FittedEstimator]]
}

/// A candidate for the effect.
struct AutoCandidate: Sendable {
    let name: String
    /// The effect of every row by the model of its fold.
    let values: [Double]
    /// The function of each fold.
    let formulas: [EnsembleFormula]
}

extension AutoPair {
    /// The members that wait for no nuisance: propensities, outcomes of the arms, of both, and of both jointly.
    ///
    /// - Returns: nil for lists that the recipe leaves out.
    func fitNuisances(_ members: MemberFits, _ scheduler: Scheduler) throws(MetaLearnersError)
        -> AutoNuisances
    {
        let isFull = settings.recipe == .full
        let known = knownShare
        let lasso = LinearPath.Problem.Method.lasso(stages: settings.lassoStages)
        var linear: [LinearPath.Problem] = []
        for member in 0...1 {
            linear.append(.init(method: lasso, map: largestMap, rows: rowsOfArm[member], target: outcome))
            linear.append(.init(method: .ridge, map: .none, rows: rowsOfArm[member], target: outcome))
        }
        linear.append(.init(method: .ridge, map: .none, rows: rows, target: outcome))
        if isFull { linear.append(.init(method: lasso, map: largestMap, rows: rows, target: outcome)) }
        let marginalCount = isFull ? 2 : 1
        if known == nil {
            linear.append(.init(method: .logistic, map: .none, rows: rows, target: treated))
            if isFull {
                linear.append(.init(method: lasso, map: largestMap, rows: rows, target: treated))
                linear.append(.init(method: .logistic, map: .splines, rows: rows, target: treated))
            }
        }
        var trees = [
            try self.trees(.control, rows: rowsOfArm[0], target: outcome),
            try self.trees(.arm, rows: rowsOfArm[1], target: outcome),
        ]
        if known == nil {
            trees.append(
                try self.trees(
                    .propensity, rows: rows, target: treated, objective: .classification(classes: 2)))
        }
        if isFull {
            let count = dataset.rowCount
            trees.append(
                try self.trees(
                    .joint, features: joint(StridedValues(treated)), rows: rows, target: outcome,
                    inputs: [
                        joint(StridedValues(repeating: 0, count: count)),
                        joint(StridedValues(repeating: 1, count: count)),
                    ]))
            trees.append(try self.trees(.marginal, rows: rows, target: outcome))
        }
        let fits = try members.fit(linear, trees, stage: "nuisances", scheduler)
        let paths = try trees.indices.map { index throws(MetaLearnersError) in
            try path(trees[index], fits.trees[index], members)
        }
        let hasTrees = known == nil ? 3 : 2
        let (share, blends) =
            known.map { ($0, []) }
            ?? stackShare(Array(fits.linear[(4 + marginalCount)...]), trees: paths[2], members.folds.count)
        let jointLassos =
            isFull ? try fitJointLassos(members, share, scheduler) : []
        return combine(
            arms: Array(fits.linear[0..<4]), armTrees: [paths[0], paths[1]],
            jointTrees: isFull ? paths[hasTrees] : nil, jointLassos: jointLassos,
            marginals: fits.linear[4..<(4 + marginalCount)].map(\.outOfFold)
                + (isFull ? [paths[hasTrees + 1].outOfFold[0]] : []),
            share: share, blends: blends, members)
    }

    /// All products where there is room for them, else the splines alone.
    var largestMap: FeatureExpansion { settings.map }

    /// ē where propensities are known.
    private var knownShare: [Double]? {
        guard let known = dataset.knownPropensities else { return nil }
        return zip(known[arm], known[0]).map { $0 / ($0 + $1) }
    }

    /// Chooses the number of rounds by squared error, of the rows and arms that the trees were fitted to.
    private func path(_ problem: TreePath.Problem, _ fits: [TreePath.Fold], _ members: MemberFits)
        throws(MetaLearnersError) -> TreePath
    {
        var counts = [Bool](repeating: false, count: dataset.rowCount)
        for row in problem.task.rows { counts[Int(row)] = true }
        let target = problem.task.target
        let isJoint = problem.inputs.count > 1
        return try TreePath(problem, fits, rowsInFold: members.rowsInFold, rowCount: dataset.rowCount) {
            row, prediction in
            guard counts[row] else { return 0 }
            let error = target[row] - prediction(isJoint && treated[row] == 1 ? 1 : 0)
            return weight(row) * error * error
        }
    }

    /// Stacks the propensity's members by their Brier score.
    private func stackShare(_ linear: [LinearPath], trees: TreePath, _ folds: Int) -> (
        share: [Double], blends: [ShareBlend]
    ) {
        var total = 0.0
        var ofArm = 0.0
        for row in rows {
            total += weight(Int(row))
            ofArm += weight(Int(row)) * treated[Int(row)]
        }
        let constant = total > 0 ? ofArm / total : 0.5
        // The order of the problems: logistic on plain columns, then, where there are more, the lasso of
        // probabilities and the logistic curve.
        let logits = linear.enumerated().filter { $0.offset != 1 }.map(\.element)
        let probability = linear.count > 1 ? linear[1] : nil
        var candidates = [[Double](repeating: constant, count: dataset.rowCount)]
        candidates += logits.map { $0.outOfFold.map(ShareBlend.logistic) }
        if let probability { candidates.append(probability.outOfFold) }
        candidates.append(trees.outOfFold[0])
        let stack = stack(candidates, target: treated, rows: rows, .sumToOne)
        let logitWeights = Array(stack.weights[1..<(1 + logits.count)])
        let blends = (0..<folds).map { fold in
            var level = LinearFunction(intercept: stack.weights[0] * constant, width: width)
            if let probability {
                level.add(probability.functions[fold], times: stack.weights[1 + logits.count])
            }
            return ShareBlend(
                level: level, logits: logits.map { $0.functions[fold] }, logitWeights: logitWeights,
                trees: trees.models[fold], treesWeight: stack.weights[candidates.count - 1])
        }
        return (stack.combine(candidates).map(ShareBlend.clipped), blends)
    }

    /// Lassos of the outcome on covariates, treatment and their products, with little penalty on the effect: its main
    /// term next to none.
    private func fitJointLassos(_ members: MemberFits, _ share: [Double], _ scheduler: Scheduler)
        throws(MetaLearnersError) -> [LinearPath]
    {
        let residual = zip(treated, share).map { $0 - Self.bounded($1, settings.leastShare) }
        let maps = [
            (members.design.columns(.none), settings.linearEffectFactor),
            (members.design.columns(largestMap), 1),
        ]
        let problems = maps.map { columns, factor in
            LinearPath.Problem(
                method: .lasso(stages: settings.lassoStages), map: largestMap, rows: rows, target: outcome,
                modulation: Modulation(
                    residual, mainFactor: settings.effectFactor, columns: columns, columnFactor: factor))
        }
        return try members.fit(problems, [], stage: "nuisances", scheduler).linear
    }

    static func bounded(_ share: Double, _ least: Double) -> Double { min(max(share, least), 1 - least) }

    /// Stacks the arms' outcomes and the marginal one.
    private func combine(
        arms: [LinearPath], armTrees: [TreePath], jointTrees: TreePath?, jointLassos: [LinearPath],
        marginals: [[Double]], share: [Double], blends: [ShareBlend], _ members: MemberFits
    ) -> AutoNuisances {
        let folds = members.folds.count
        let bounded = share.map { Self.bounded($0, settings.leastShare) }
        var means: [[Double]] = []
        var formulas: [[EnsembleFormula]] = []
        var sources: [EnsemblePart.Source: [any FittedEstimator]] = [
            .control: armTrees[0].models, .arm: armTrees[1].models,
        ]
        if let jointTrees {
            sources[.jointControl] = jointTrees.models
            sources[.jointArm] = jointTrees.models
        }
        for member in 0...1 {
            let own = [arms[2 * member], arms[2 * member + 1]]
            var values = own.map(\.outOfFold) + [armTrees[member].outOfFold[0]]
            if let jointTrees { values.append(jointTrees.outOfFold[member]) }
            for lasso in jointLassos {
                values.append(
                    lasso.outOfFold.indices.map { row in
                        lasso.outOfFold[row]
                            + (Double(member) - treated[row]) * lasso.outOfFoldSlopes[row]
                    })
            }
            let stack = stack(values, target: outcome, rows: rowsOfArm[member], .freeIntercept)
            means.append(stack.combine(values))
            formulas.append(
                (0..<folds).map { fold in
                    var parts = own.map { EnsembleFormula(EnsemblePart($0.functions[fold])) }
                    parts.append(
                        EnsembleFormula(EnsemblePart(member == 0 ? .control : .arm, width: width)))
                    if jointTrees != nil {
                        parts.append(
                            EnsembleFormula(
                                EnsemblePart(member == 0 ? .jointControl : .jointArm, width: width)))
                    }
                    for lasso in jointLassos {
                        // base + (w − e)·slope
                        var level = EnsemblePart(lasso.functions[fold])
                        level.add(EnsemblePart(lasso.slopes[fold]), times: Double(member))
                        var share = EnsemblePart(width: width)
                        share.add(EnsemblePart(lasso.slopes[fold]), times: -1)
                        parts.append(EnsembleFormula(level, share: share))
                    }
                    return .sum(
                        parts, weights: stack.weights, constant: stack.intercept, width: width)
                })
        }
        let blended = share.indices.map { bounded[$0] * means[1][$0] + (1 - bounded[$0]) * means[0][$0] }
        let all = [blended] + marginals
        let marginal = stack(all, target: outcome, rows: rows, .freeIntercept).combine(all)
        return AutoNuisances(
            share: share, shareBlends: blends, means: means, meanFormulas: formulas, marginal: marginal,
            effects: differences(arms, armTrees, jointTrees, jointLassos, means, formulas, folds),
            trees: sources)
    }

    /// The members that compare outcomes.
    private func differences(
        _ arms: [LinearPath], _ armTrees: [TreePath], _ jointTrees: TreePath?, _ jointLassos: [LinearPath],
        _ means: [[Double]], _ formulas: [[EnsembleFormula]], _ folds: Int
    ) -> [AutoCandidate] {
        func minus(_ left: [Double], _ right: [Double]) -> [Double] { zip(left, right).map { $0 - $1 } }
        func trees(_ name: String, _ path: [[Double]], _ sources: [EnsemblePart.Source]) -> AutoCandidate {
            var part = EnsemblePart(sources[1], width: width)
            part.add(EnsemblePart(sources[0], width: width), times: -1)
            return AutoCandidate(
                name: name, values: minus(path[1], path[0]),
                formulas: [EnsembleFormula](repeating: EnsembleFormula(part), count: folds))
        }
        var candidates: [AutoCandidate] = []
        if let jointTrees {
            candidates.append(trees("s trees", jointTrees.outOfFold, [.jointControl, .jointArm]))
        }
        for (name, lasso) in zip(["s lasso, linear effect", "s lasso"], jointLassos) {
            candidates.append(
                AutoCandidate(
                    name: name, values: lasso.outOfFoldSlopes,
                    formulas: lasso.slopes.map { EnsembleFormula(EnsemblePart($0)) }))
        }
        candidates.append(
            AutoCandidate(
                name: "t lasso", values: minus(arms[2].outOfFold, arms[0].outOfFold),
                formulas: (0..<folds).map { fold in
                    var part = EnsemblePart(arms[2].functions[fold])
                    part.add(EnsemblePart(arms[0].functions[fold]), times: -1)
                    return EnsembleFormula(part)
                }))
        candidates.append(trees("t trees", armTrees.map { $0.outOfFold[0] }, [.control, .arm]))
        candidates.append(
            AutoCandidate(
                name: "t stack", values: minus(means[1], means[0]),
                formulas: (0..<folds).map { fold in
                    var formula = formulas[1][fold]
                    formula.add(formulas[0][fold], times: -1)
                    return formula
                }))
        return candidates
    }
}
