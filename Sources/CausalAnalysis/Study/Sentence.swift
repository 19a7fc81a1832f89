import MetaLearnersCore

/// Parts of sentences: numbers as people say them.
enum Sentence {
    /// A number with three significant digits, or with as many decimals as others of the same sentence have.
    static func number(_ number: Double, with others: [Double] = []) -> String {
        NumberText.fixed(number, decimals: max(NumberText.decimals(for: [number] + others) - 1, 0))
    }

    /// A share in percent.
    static func share(_ share: Double) -> String {
        NumberText.fixed(share * 100, decimals: share > 0 && share < 0.1 ? 1 : 0) + " %"
    }

    /// "p = 0.012", "p < 0.001".
    static func pValue(_ number: Double) -> String {
        let text = NumberText.pValue(number)
        return text.hasPrefix("<") ? "p < \(text.dropFirst())" : "p = \(text)"
    }

    /// "0.12 (0.03), p < 0.001": an estimate, its standard error and the p-value of 0.
    static func estimate(_ estimate: NormalEstimate) -> String {
        let error = estimate.stdError
        let value = number(estimate.estimate, with: [error])
        return "\(value) (\(number(error, with: [estimate.estimate]))), \(pValue(estimate.pValue))"
    }

    /// The ends of an interval: "0.06 to 0.18".
    static func interval(_ estimate: NormalEstimate, level: Double) -> String {
        let ends = estimate.interval(level: level)
        return number(ends.lower, with: [ends.upper]) + " to " + number(ends.upper, with: [ends.lower])
    }

    /// Begins a finding about an arm: nothing where there is one arm beside the control.
    static func arm(_ study: CausalStudy, _ arm: Int) -> String {
        study.armCount > 2 ? "Arm '\(study.armLabels[arm])': " : ""
    }

    /// What is to be said where there is nothing to rank, group or compare.
    static func sameForEverybody(_ study: CausalStudy, _ arm: Int) -> String {
        self.arm(study, arm) + "The estimated effects are the same for everybody."
    }

    /// The first letter as a capital.
    static func begin(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}

/// What must hold for answers to be right, the same sentence wherever it is said.
enum Assumption {
    static let noConfounding =
        "Given the covariates, who is in which arm does not depend on what would have happened (no unobserved confounding)."
    static let overlap = "Everybody could have been in either arm (overlap)."
    static let foreignEffects = "The effects come from models that never saw the row that they are for."
    static let moreIsBetter =
        "More of the outcome is better: where less of it is, turn its sign round before the fit (of an outcome of 0 and 1 take 1 − outcome)."
}

extension ResultTable {
    /// The values of the columns of an estimate: nulls where there is none.
    static func cells(_ estimate: NormalEstimate?, level: Double) -> [SpecValue] {
        guard let estimate, estimate.estimate.isFinite else { return [SpecValue](repeating: .null, count: 5) }
        let interval = estimate.interval(level: level)
        return [
            .number(estimate.estimate), .number(estimate.stdError), .number(interval.lower),
            .number(interval.upper), .number(estimate.pValue),
        ]
    }
}
