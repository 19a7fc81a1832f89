import MetaLearners
import MetaLearnersCore

/// What a pair's nuisances became: at every row out of fold, and as formulas of the folds.
struct AutoNuisances: Sendable {
    /// The members' results.
    typealias Results = [AutoMember.Name: MemberRun.Result]

    /// ē(x), stacked, before any clipping but to the open unit interval; known ones where there are any.
    let share: [Double]
    /// The propensity of each fold; none where it is known.
    let shareBlends: [ShareBlend]
    /// μ of the control and of the arm.
    let means: [[Double]]
    /// The same as formulas, for each fold.
    let meanFormulas: [[MemberFormula]]
    /// m.
    let marginal: [Double]
    /// The members' results: what candidates for the effect and predictions are made of.
    let results: Results
}

/// The stacked propensity of an arm against the control, in one fold: σ of a linear function and of what others say, as log-odds.
struct ShareBlend: Sendable {
    /// The intercept and the log-odds that are linear functions, weighted already.
    let logOdds: LinearFunction
    /// The linear probability and the weight of its log-odds.
    let probability: LinearFunction
    let probabilityWeight: Double
    /// Models that classify, and the weights of the log-odds of class 1.
    let models: [(model: any FittedEstimator, weight: Double)]

    /// Stacked propensities stay within this distance of 0 and 1; the overlap policy may be stricter.
    static let margin = 1e-3

    static func clipped(_ share: Double) -> Double { min(max(share, margin), 1 - margin) }
}

extension MemberRun.Result {
    /// The linear functions of the folds.
    func functions() throws(MetaLearnersError) -> LinearFoldPath {
        if let linear { return linear }
        throw MetaLearnersError(.internalFault, at: "auto", "a linear member is not linear")
    }
}

extension AutoNuisances.Results {
    /// The result of a member.
    func callAsFunction(_ name: AutoMember.Name) throws(MetaLearnersError) -> MemberRun.Result {
        if let result = self[name] { return result }
        throw MetaLearnersError(.internalFault, at: name.rawValue, "is needed and was not fitted")
    }

    /// The linear functions of a member.
    func linear(_ name: AutoMember.Name) throws(MetaLearnersError) -> LinearFoldPath {
        try self(name).functions()
    }

    /// The models of members that are no linear functions, by source, for each fold.
    var models: [MemberSum.Source: [any FittedEstimator]] {
        var models: [MemberSum.Source: [any FittedEstimator]] = [:]
        for (name, result) in self where result.linear == nil {
            for arm in [nil, 0, 1] as [UInt8?] {
                let source = MemberSum.Source(name, arm: arm)
                if MemberSum.Source(code: source.code) != nil { models[source] = result.models }
            }
        }
        return models
    }
}

extension AutoPair {
    /// Stacks the propensity's members by their log-odds.
    func stackShare(_ results: AutoNuisances.Results, width: Int, folds: FoldAssignment)
        throws(MetaLearnersError) -> (share: [Double], blends: [ShareBlend])
    {
        let linear = [AutoMember.Name.propensityLogistic, .propensityCurves].compactMap {
            results[$0]?.linear
        }
        let probability = try results.linear(.propensityLasso)
        let models = [AutoMember.Name.propensityTrees, .deepPropensityTrees].compactMap { results[$0] }
        var members = linear.map(\.outOfFold)
        members.append(probability.outOfFold.map(LogOddsStack.logOdds))
        members += models.map { $0.outOfFold[0].map(LogOddsStack.logOdds) }
        func taking(_ list: [Double]) -> [Double] { rows.map { list[Int($0)] } }
        let stacks = try LogOddsStack.leavingOut(
            members.map(taking), target: taking(treated), rowWeights: dataset.weights.map(taking),
            groups: rows.map { folds.folds[Int($0)] }, count: folds.count, dataset.distribution)
        let blends = stacks.enumerated().map { fold, stack in
            var logOdds = LinearFunction(intercept: stack.intercept, width: width)
            for (member, weight) in zip(linear, stack.weights) {
                logOdds.add(member.functions[fold], times: weight)
            }
            return ShareBlend(
                logOdds: logOdds, probability: probability.functions[fold],
                probabilityWeight: stack.weights[linear.count],
                models: models.enumerated().map { index, model in
                    (model.models[fold], stack.weights[linear.count + 1 + index])
                })
        }
        let share = (0..<dataset.rowCount).map { row in
            let stack = stacks[Int(folds.folds[row])]
            var score = stack.intercept
            for (values, weight) in zip(members, stack.weights) { score += weight * values[row] }
            return ShareBlend.clipped(Logistic.share(score))
        }
        return (share, blends)
    }

    /// Stacks the outcomes of both arms and the marginal one.
    func stackOutcomes(
        _ results: AutoNuisances.Results, share: [Double], blends: [ShareBlend], width: Int,
        folds: FoldAssignment
    ) throws(MetaLearnersError) -> AutoNuisances {
        var means: [[Double]] = []
        var formulas: [[MemberFormula]] = []
        for arm in 0...1 {
            let members = try outcomeMembers(of: arm, results, width: width, folds: folds.count)
            let values = members.map(\.values)
            let stacks = try stack(values, target: outcome, rows: rowsOfArm[arm], .drawnToShares, folds)
            means.append(stacks.combine(values))
            formulas.append(
                stacks.stacks.enumerated().map { fold, stack in
                    .sum(
                        members.map { $0.formulas[fold] }, weights: stack.weights, constant: stack.intercept,
                        width: width)
                })
        }
        let bounded = share.map { Self.bounded($0, settings.leastShare) }
        var candidates = [
            share.indices.map { bounded[$0] * means[1][$0] + (1 - bounded[$0]) * means[0][$0] }
        ]
        for name in [AutoMember.Name.marginalRidge, .marginalLasso, .marginalTrees] {
            if let result = results[name] { candidates.append(result.outOfFold[0]) }
        }
        let marginal = try stack(candidates, target: outcome, rows: rows, .drawnToShares, folds).combine(
            candidates)
        return AutoNuisances(
            share: share, shareBlends: blends, means: means, meanFormulas: formulas, marginal: marginal,
            results: results)
    }

    /// The members of an arm's outcome (0 for the control): at every row out of fold, and as formulas of the folds.
    private func outcomeMembers(
        of arm: Int, _ results: AutoNuisances.Results, width: Int, folds: Int
    ) throws(MetaLearnersError) -> [(values: [Double], formulas: [MemberFormula])] {
        var members: [(values: [Double], formulas: [MemberFormula])] = []
        let linear: [AutoMember.Name] =
            arm == 0 ? [.controlLasso, .controlRidge] : [.armLasso, .armRidge]
        for name in linear {
            let path = try results.linear(name)
            members.append((path.outOfFold, path.functions.map { MemberFormula(MemberSum($0)) }))
        }
        func add(_ name: AutoMember.Name, asked: UInt8?) {
            guard let result = results[name] else { return }
            let sum = MemberSum(MemberSum.Source(name, arm: asked), width: width)
            members.append(
                (
                    result.outOfFold[Int(asked ?? 0)],
                    [MemberFormula](repeating: MemberFormula(sum), count: folds)
                ))
        }
        add(arm == 0 ? .controlTrees : .armTrees, asked: nil)
        add(.jointTrees, asked: UInt8(arm))
        for name in [AutoMember.Name.jointLassoLinear, .jointLasso] {
            guard let lasso = results[name]?.linear else { continue }
            members.append(
                (
                    lasso.outOfFold.indices.map { row in
                        lasso.outOfFold[row] + (Double(arm) - treated[row]) * lasso.outOfFoldSlopes[row]
                    },
                    (0..<folds).map { fold in
                        // base + (w − e)·slope
                        var level = MemberSum(lasso.functions[fold])
                        level.add(MemberSum(lasso.slopes[fold]), times: Double(arm))
                        var share = MemberSum(width: width)
                        share.add(MemberSum(lasso.slopes[fold]), times: -1)
                        return MemberFormula(level, share: share)
                    }
                ))
        }
        return members
    }
}
