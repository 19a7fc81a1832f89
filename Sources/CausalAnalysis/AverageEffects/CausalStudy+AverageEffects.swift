import MetaLearnersCore

extension CausalStudy {
    /// The average effect of each arm against control, by AIPW: the numbers of `AIPWAnalysis`, in the order of the arms.
    ///
    /// - Parameters:
    ///   - estimand: over whom to average.
    ///   - level: the level of the intervals, between 0 and 1.
    /// - Throws: `invalidArgument` for a level that is none; `unsupported` where the study has no propensities or no arm means.
    public func averageEffects(_ estimand: Estimand, level: Double = AverageEffect.standardLevel)
        throws(MetaLearnersError) -> [AverageEffect]
    {
        try averageEffects(estimand, level: level, ofClass: nil)
    }

    func averageEffects(_ estimand: Estimand, level: Double, ofClass: (index: Int, label: String)?)
        throws(MetaLearnersError) -> [AverageEffect]
    {
        try AverageEffect.requireLevel(level)
        try require(.scores, for: AIPWAnalysis.name)
        var effects: [AverageEffect] = []
        for arm in 1..<armCount {
            let result = try AIPWAnalysis.estimate(self, arm, estimand)
            let interval = result.interval(level: level)
            effects.append(
                AverageEffect(
                    arm: armLabels[arm], outcomeClass: ofClass?.label, classIndex: ofClass?.index,
                    control: armLabels[0], estimand: estimand, estimate: result.estimate,
                    stdError: result.stdError, lower: interval.lower, upper: interval.upper, level: level,
                    pValue: result.pValue))
        }
        return effects
    }
}
