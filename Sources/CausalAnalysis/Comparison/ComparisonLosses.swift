import MetaLearnersCore

/// The losses of effects on the nuisances of a study.
struct ComparisonLosses {
    /// The weight of each row.
    let weights: [Double]
    private let study: CausalStudy
    private let scores: [[Double]]
    private let propensities: [[Double]]
    private let residuals: [Double]

    init(_ study: CausalStudy) throws(MetaLearnersError) {
        self.study = study
        weights = study.rowWeights
        var scores: [[Double]] = []
        for arm in 1..<study.armCount { scores.append(try study.scores(arm)) }
        self.scores = scores
        var propensities: [[Double]] = []
        var marginal = [Double](repeating: 0, count: study.rowCount)
        for arm in 0..<study.armCount {
            let share = try study.propensity(arm)
            let mean = try study.armMean(arm)
            for row in marginal.indices { marginal[row] += share[row] * mean[row] }
            propensities.append(share)
        }
        self.propensities = propensities
        residuals = zip(study.outcome, marginal).map { $0 - $1 }
    }

    /// The DR-loss of each row.
    func doublyRobust(_ effects: [[Double]]) -> [Double] {
        (0..<study.rowCount).map { row in
            effects.indices.reduce(0) { sum, arm in
                let error = scores[arm][row] - effects[arm][row]
                return sum + error * error / Double(effects.count)
            }
        }
    }

    /// The R-loss of each row.
    func residual(_ effects: [[Double]]) -> [Double] {
        (0..<study.rowCount).map { row in
            var error = residuals[row]
            for arm in effects.indices {
                error -=
                    ((study.arms[row] == arm + 1 ? 1 : 0) - propensities[arm + 1][row]) * effects[arm][row]
            }
            return error * error
        }
    }

    /// A row for each fit with its losses and how much they are above the smallest, and for each candidate without a fit a note.
    func table(
        _ fits: [CompareAnalysis.Fit], _ notes: [(CompareAnalysis.Candidate, String)], level: Double
    ) -> ResultTable {
        var table = ResultTable(
            "learners", "Losses of the effects, out of fold",
            [
                .init("learner", "learner", .text), .init("backend", "base learner", .text),
                .init("dr_loss", "DR-loss", .number), .init("dr_loss_difference", "above the best", .number),
                .init("dr_loss_std_error", "std. error", .number), .init("r_loss", "R-loss", .number),
                .init("r_loss_difference", "above the best", .number),
                .init("r_loss_std_error", "std. error", .number),
                .init("seconds", "seconds", .number), .init("note", "note", .text),
            ])
        let columns = [fits.map { doublyRobust($0.effects) }, fits.map { residual($0.effects) }].map(cells)
        for (index, fit) in fits.enumerated() {
            table.append(
                [.string(fit.candidate.learner), .string(fit.candidate.backend)] + columns[0][index]
                    + columns[1][index]
                    + [.number(fit.seconds), .null])
        }
        for (candidate, note) in notes {
            table.append(
                [.string(candidate.learner), .string(candidate.backend)]
                    + [SpecValue](repeating: .null, count: 7)
                    + [.string(note)])
        }
        return table
    }

    /// For each fit its mean loss, how much that is above the smallest, and the standard error of the difference.
    private func cells(_ losses: [[Double]]) -> [[SpecValue]] {
        let ones = [Double](repeating: 1, count: study.rowCount)
        func mean(_ values: [Double]) -> NormalEstimate {
            NormalEstimate(scores: values, shares: ones, weights: weights, clusters: study.clusters)
        }
        let means = losses.map { mean($0).estimate }
        guard let best = means.indices.min(by: { means[$0] < means[$1] }) else { return [] }
        return losses.indices.map { index in
            let difference = mean(zip(losses[index], losses[best]).map { $0 - $1 })
            return [.number(means[index]), .number(difference.estimate), .number(difference.stdError)]
        }
    }
}
