import MetaLearnersCore

/// What an allocation of treatment really gains, where the true effects of the rows are known: in simulated data.
package struct TargetingTruth: Sendable, Equatable {
    /// The sum of the true effects over the rows that are treated.
    package let achieved: Double
    /// What treating as many rows at random in each arm gains on average.
    package let random: Double
    /// The gain of the allocation by the true effects within the same limit; a threshold limits nothing but who is worth it, so that
    /// everybody who truly gains is treated then.
    package let best: Double

    /// Sums up the true effects of an allocation, and allocates by them.
    ///
    /// - Parameters:
    ///   - effects: the true τ_k for each arm but the control, a number for each row.
    ///   - costs, units, limit: those of the allocation.
    /// - Throws: `invalidArgument` as the allocation itself.
    package init(
        _ allocation: TreatmentAllocation, effects: [[Double]], costs: [[Double]]?, units: [Int32]?,
        limit: TreatmentAllocation.Limit
    ) throws(MetaLearnersError) {
        var achieved = 0.0
        var treated = [Double](repeating: 0, count: effects.count)
        for (row, arm) in allocation.decisions.enumerated() where arm > 0 {
            achieved += effects[Int(arm) - 1][row]
            treated[Int(arm) - 1] += 1
        }
        self.achieved = achieved
        let rows = Double(max(allocation.decisions.count, 1))
        random = zip(treated, effects).reduce(0) { $0 + $1.0 * $1.1.reduce(0, +) / rows }
        var bound = limit
        if case .threshold(let threshold) = limit { bound = .threshold(min(threshold, 0)) }
        // An allocation under a budget is not always the best that there is, so that another may come out ahead.
        let byTruth = try TreatmentAllocation(effects: effects, costs: costs, units: units, limit: bound)
        best = max(byTruth.gain, achieved)
    }

    /// The gains as results have them.
    package var specValue: SpecValue {
        ["achieved": .number(achieved), "random": .number(random), "best": .number(best)]
    }
}
