import MetaLearnersCore

/// Whether estimators of the same average agree, in words.
///
/// They agree where every estimate that adjusts for covariates lies within the interval of the doubly robust one (AIPW), or that one within
/// its own: an estimator that is less certain may be farther off by chance. They all estimate the same number, so that disagreement
/// says that some of their assumptions fail.
struct EstimatorAgreement {
    /// The answer first: the doubly robust estimates, whether the others agree, what adjustment changed, who is averaged over.
    private(set) var findings: [String] = []
    /// What makes the averages doubtful.
    private(set) var warnings: [String] = []

    /// The share of rows with a propensity outside `extreme` from which averages over all rows count as extrapolation.
    private static let extremeShare = 0.05
    private static let extreme = 0.05

    private let study: CausalStudy
    private let table: ResultTable
    private let level: Double

    init(
        _ study: CausalStudy, _ table: ResultTable, _ arms: [Int], _ estimands: [Estimand], level: Double
    ) {
        self.study = study
        self.table = table
        self.level = level
        for arm in arms {
            guard let main = estimands.first, let best = row("aipw", arm, main) else { continue }
            findings.append(
                EffectSentences.finding(
                    EffectEstimate(
                        value: NormalEstimate(estimate: best.estimate, stdError: best.error), rows: 0), main,
                    arm, study, level: level) + " This is the doubly robust estimate (AIPW).")
            let overlap = overlapProblem(arm)
            findings.append(verdict(arm, main, best, overlap))
            if let sentence = adjustment(arm, main, best) { findings.append(sentence) }
            if let sentence = populations(arm, estimands) { findings.append(sentence) }
            if let overlap { warnings.append(overlap) }
        }
    }

    private struct Row {
        let key: String
        let estimate: Double
        let error: Double
        let lower: Double
        let upper: Double

        /// Whether neither estimate lies within the interval of the other.
        func contradicts(_ other: Row) -> Bool {
            (estimate < other.lower || estimate > other.upper)
                && (other.estimate < lower || other.estimate > upper)
        }
    }

    private func rows(_ arm: Int, _ estimand: Estimand) -> [Row] {
        let label = study.armLabels[arm]
        let (arms, estimands, keys) = (
            table.column("arm"), table.column("estimand"), table.column("estimator")
        )
        let (estimates, errors) = (table.numbers("estimate"), table.numbers("std_error"))
        let (lower, upper) = (table.numbers("lower"), table.numbers("upper"))
        return table.rows.indices.compactMap { index in
            guard arms[index].stringValue == label, estimands[index].stringValue == estimand.rawValue,
                estimates[index].isFinite, let key = keys[index].stringValue
            else { return nil }
            return Row(
                key: key, estimate: estimates[index], error: errors[index], lower: lower[index],
                upper: upper[index])
        }
    }

    private func row(_ key: String, _ arm: Int, _ estimand: Estimand) -> Row? {
        rows(arm, estimand).first { $0.key == key }
    }

    /// Whether the estimators that adjust agree.
    private func verdict(_ arm: Int, _ estimand: Estimand, _ best: Row, _ overlap: String?) -> String {
        let adjusted = rows(arm, estimand).filter { $0.key != DifferenceInMeans.name }
        let outside = adjusted.filter { $0.contradicts(best) }
        let estimates = adjusted.map(\.estimate)
        let ends = NumberText.aligned([estimates.min() ?? 0, estimates.max() ?? 0])
        let range = "from \(ends[0]) to \(ends[1])"
        if outside.isEmpty {
            return
                "The \(adjusted.count) estimators that adjust for covariates agree: their estimates run \(range), none farther from AIPW "
                + "than their intervals allow."
        }
        let names = outside.map { "'\($0.key)'" }.joined(separator: ", ")
        let signs = estimates.contains { $0 < 0 } && estimates.contains { $0 > 0 }
        return
            "The estimators do not agree: of \(adjusted.count) that adjust for covariates, \(names) \(outside.count == 1 ? "contradicts" : "contradict") "
            + "AIPW (neither estimate is in the interval of the other), and estimates run \(range)\(signs ? ", not even of one sign" : ""). "
            + (overlap == nil
                ? "They should all find the same number, so that the models of some of them do not fit: look at the outcome and propensity models before the number is used."
                : "With this little overlap the answer depends on how each of them extrapolates, which no interval covers: trim, or average by overlap (ato).")
    }

    /// How much adjusting changed.
    private func adjustment(_ arm: Int, _ estimand: Estimand, _ best: Row) -> String? {
        guard estimand == .ate, let raw = row(DifferenceInMeans.name, arm, .ate) else { return nil }
        let numbers = NumberText.aligned([raw.estimate, best.estimate - raw.estimate])
        if raw.estimate >= best.lower, raw.estimate <= best.upper {
            return
                "Without adjustment the difference is \(numbers[0]), within that interval: covariates explain little of it."
        }
        if !raw.contradicts(best) {
            return
                "Without adjustment the difference is \(numbers[0]) and less certain: adjusting changes it by \(numbers[1]), no more than "
                + "chance explains."
        }
        return
            "Without adjustment the difference is \(numbers[0]), outside that interval: adjusting changes it by \(numbers[1]), so that "
            + "the arms differ in what matters for the outcome."
    }

    /// Whether it matters over whom one averages.
    private func populations(_ arm: Int, _ estimands: [Estimand]) -> String? {
        let all = estimands.compactMap { estimand in row("aipw", arm, estimand).map { (estimand, $0) } }
        guard all.count > 1, let first = all.first else { return nil }
        let numbers = NumberText.aligned(all.map { $0.1.estimate })
        let list = zip(all, numbers).map { "\($1) (\($0.0.rawValue))" }.joined(separator: ", ")
        let differs = all.dropFirst().contains {
            $0.1.estimate < first.1.lower || $0.1.estimate > first.1.upper
        }
        return "By population, AIPW finds \(list): "
            + (differs
                ? "it matters over whom one averages, as effects differ with the covariates that decide the arm."
                : "it matters little over whom one averages.")
    }

    /// What is wrong with overlap between an arm and the control; nil where it is good.
    private func overlapProblem(_ arm: Int) -> String? {
        guard let control = try? study.propensity(0), let treated = try? study.propensity(arm) else {
            return nil
        }
        let weights = study.rowWeights
        var (total, outside) = (0.0, 0.0)
        for row in weights.indices where weights[row] > 0 {
            total += 1
            let share = treated[row] / (treated[row] + control[row])
            if share < Self.extreme || share > 1 - Self.extreme { outside += 1 }
        }
        guard total > 0, outside / total > Self.extremeShare else { return nil }
        return
            "\(Sentence.share(outside / total)) of the rows have a propensity of '\(study.armLabels[arm])' below "
            + "\(Sentence.share(Self.extreme)) or above \(Sentence.share(1 - Self.extreme)): averages over all rows "
            + "extrapolate there, and their intervals do not cover that. The average by overlap (ato) does without these rows."
    }
}
