import MetaLearners
import MetaLearnersCore

extension AutoPredictor {
    func formulas(_ input: PredictorFormulas) throws(MetaLearnersError) -> [Formula] {
        let isMean = input.spec.prediction != .median
        let linear = try (isMean ? means : functions).formulas(of: "linear members")
        let columnCount = input.schema.fields.count
        let added = try also.indices.map { index throws(MetaLearnersError) in
            hasWeight(index) ? try also[index].effectFormulas(asMemberOf: input) : []
        }
        var effects: [Formula] = []
        for (arm, ofFold) in models.enumerated() {
            let share =
                usesShare
                ? Formula(
                    .clip(
                        try input.nuisances.pairPropensity(of: arm + 1), lower: leastShare,
                        upper: 1 - leastShare)) : nil
            func effect(linear place: Int, _ folds: [MemberModels]) throws(MetaLearnersError) -> Formula {
                try MemberModels.formula(
                    level: linear[place], share: share.map { ($0, linear[place + 1]) }, folds,
                    columnCount: columnCount)
            }
            /// An effect, and the members that the spec added by the weights of a fold or by their mean.
            func whole(_ own: Formula, _ fold: Int?) -> Formula {
                var (coefficients, terms) = ([1.0], [own])
                for (index, formulas) in added.enumerated() where !formulas.isEmpty {
                    let weight = weight(ofAlso: index, arm: arm, fold: fold)
                    guard weight != 0 else { continue }
                    coefficients.append(weight)
                    terms.append(formulas[arm])
                }
                return terms.count == 1
                    ? own : Formula(.linear(intercept: 0, coefficients: coefficients, terms))
            }
            if isMean {
                effects.append(whole(try effect(linear: 2 * arm, ofFold), nil))
                continue
            }
            var ofFolds: [[Formula]] = []
            for (fold, models) in ofFold.enumerated() {
                let own = try effect(linear: 2 * (arm * ofFold.count + fold), [models])
                ofFolds.append([whole(own, fold)])
            }
            effects += CrossFittedModels.combine(ofFolds, input.spec.prediction)
        }
        return effects
    }
}

extension MemberModels {
    /// level + share · factor, where the mean of the folds' models is added to both level and factor.
    ///
    /// - Parameters:
    ///   - share: the propensity, and the linear part of what it is multiplied by; nil where it has no part.
    ///   - columnCount: how many covariates there are; the treatment stands behind them.
    fileprivate static func formula(
        level: Formula, share: (propensity: Formula, linear: Formula)?, _ folds: [MemberModels],
        columnCount: Int
    ) throws(MetaLearnersError) -> Formula {
        var ofLevel = (coefficients: [1.0], terms: [level])
        var ofShare = (coefficients: [1.0], terms: [share?.linear ?? .constant(0)])
        for models in folds {
            for term in models.terms {
                let formula = Formula.replacing(try term.model.formulas(of: "trees")) { column in
                    guard column == columnCount, let arm = term.source.arm else { return .column(column) }
                    return .value(Double(arm))
                }
                let factor = 1 / Double(folds.count)
                if term.level != 0 {
                    ofLevel.coefficients.append(factor * term.level)
                    ofLevel.terms.append(formula[0])
                }
                if term.share != 0 {
                    ofShare.coefficients.append(factor * term.share)
                    ofShare.terms.append(formula[0])
                }
            }
        }
        let sum = Formula(.linear(intercept: 0, coefficients: ofLevel.coefficients, ofLevel.terms))
        guard let share else { return sum }
        let factor = Formula(.linear(intercept: 0, coefficients: ofShare.coefficients, ofShare.terms))
        return Formula(.sum([sum, Formula(.product([share.propensity, factor]))]))
    }
}

extension BlendedPropensity: FormulaProviding {
    func formulas() throws(MetaLearnersError) -> [Formula] {
        // The odds of each arm against the control, put together.
        let one = Formula.constant(1)
        let odds = try pairFormulas().map {
            Formula(.quotient($0, Formula(.difference(one, $0)), otherwise: nil))
        }
        let total = Formula(.sum([one] + odds))
        return ([one] + odds).map { Formula(.quotient($0, total, otherwise: nil)) }
    }

    /// For each arm, the probability of the arm among itself and the control.
    fileprivate func pairFormulas() throws(MetaLearnersError) -> [Formula] {
        let linear = try functions.formulas(of: "propensity")
        func logOdds(_ share: Formula) -> Formula {
            let share = Formula(.clip(share, lower: LogOddsStack.margin, upper: 1 - LogOddsStack.margin))
            let rest = Formula(.difference(.constant(1), share))
            return Formula(.log(Formula(.quotient(share, rest, otherwise: nil))))
        }
        var shares: [Formula] = []
        for (index, pair) in pairs.enumerated() {
            var coefficients = [1.0, pair.probabilityWeight]
            var terms = [linear[2 * index], logOdds(linear[2 * index + 1])]
            for (model, weight) in pair.models {
                coefficients.append(weight)
                terms.append(logOdds(try model.formulas(of: "propensity")[1]))
            }
            let score = Formula(.linear(intercept: 0, coefficients: coefficients, terms))
            shares.append(
                Formula(
                    .clip(
                        Formula(.sigmoid(score)), lower: ShareBlend.margin, upper: 1 - ShareBlend.margin)))
        }
        return shares
    }
}

extension BlendedOutcome {
    func formulas(columnCount: Int, knowing propensities: [Formula]?) throws(MetaLearnersError) -> [Formula] {
        let linear = try functions.formulas(of: "outcome")
        let propensity: Formula?
        switch share {
        case .none: propensity = nil
        case .estimated(let model): propensity = try model.pairFormulas()[0]
        case .known(let arm, let mean):
            if let propensities, propensities.indices.contains(arm) {
                let pair = Formula(.sum([propensities[arm], propensities[0]]))
                propensity = Formula(.quotient(propensities[arm], pair, otherwise: nil))
            } else {
                propensity = .constant(mean)
            }
        }
        let level = try MemberModels.formula(
            level: linear[0],
            share: propensity.map {
                (Formula(.clip($0, lower: leastShare, upper: 1 - leastShare)), linear[1])
            }, [models], columnCount: columnCount)
        guard isBinary else { return [level] }
        let probability = Formula(.clip(level, lower: 0, upper: 1))
        return [Formula(.difference(.constant(1), probability)), probability]
    }
}
