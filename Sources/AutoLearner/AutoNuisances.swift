import MetaLearners
import MetaLearnersCore

/// What a pair's nuisances became: at every row out of fold, and as formulas of the folds.
struct AutoNuisances: Sendable {
    /// The members' results.
    typealias Results = [AutoMember.Name: FoldPathRun.Result]

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

/// The stacked propensity of an arm against the control, in one fold: a linear function, logistic curves of others, and
/// a model that classifies.
struct ShareBlend: Sendable {
    /// The constant and the linear probability, weighted already.
    let level: LinearFunction
    /// Log-odds, and the weights of the probabilities that they give.
    let logits: [LinearFunction]
    let logitWeights: [Double]
    /// A model that classifies, and the weight of its probability of class 1.
    let model: any FittedEstimator
    let modelWeight: Double

    /// Stacked propensities stay within this distance of 0 and 1; the overlap policy may be stricter.
    static let margin = 1e-3

    static func clipped(_ share: Double) -> Double { min(max(share, margin), 1 - margin) }
}

extension FoldPathRun.Result {
    /// The linear functions of the folds.
    func functions() throws(MetaLearnersError) -> LinearFoldPath {
        if let linear { return linear }
        throw MetaLearnersError(.internalFault, at: "auto", "a linear member is not linear")
    }
}

extension AutoNuisances.Results {
    /// The result of a member.
    func callAsFunction(_ name: AutoMember.Name) throws(MetaLearnersError) -> FoldPathRun.Result {
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
    /// Stacks the propensity's members by their Brier score.
    func stackShare(_ results: AutoNuisances.Results, width: Int, folds: Int) throws(MetaLearnersError) -> (
        share: [Double], blends: [ShareBlend]
    ) {
        var total = 0.0
        var ofArm = 0.0
        for row in rows {
            total += weight(Int(row))
            ofArm += weight(Int(row)) * treated[Int(row)]
        }
        let constant = total > 0 ? ofArm / total : 0.5
        let logits = [AutoMember.Name.propensityLogistic, .propensityCurves].compactMap {
            results[$0]?.linear
        }
        let probability = results[.propensityLasso]?.linear
        let trees = try results(.propensityTrees)
        var candidates = [[Double](repeating: constant, count: dataset.rowCount)]
        candidates += logits.map { $0.outOfFold.map { Logistic.share($0) } }
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
                model: trees.models[fold], modelWeight: stack.weights[candidates.count - 1])
        }
        return (stack.combine(candidates).map(ShareBlend.clipped), blends)
    }

    /// Stacks the outcomes of both arms and the marginal one.
    func stackOutcomes(
        _ results: AutoNuisances.Results, share: [Double], blends: [ShareBlend], width: Int, folds: Int
    ) throws(MetaLearnersError) -> AutoNuisances {
        var means: [[Double]] = []
        var formulas: [[MemberFormula]] = []
        for arm in 0...1 {
            let members = try outcomeMembers(of: arm, results, width: width, folds: folds)
            let values = members.map(\.values)
            let stack = stack(values, target: outcome, rows: rowsOfArm[arm], .freeIntercept)
            means.append(stack.combine(values))
            formulas.append(
                (0..<folds).map { fold in
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
        let marginal = stack(candidates, target: outcome, rows: rows, .freeIntercept).combine(candidates)
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
