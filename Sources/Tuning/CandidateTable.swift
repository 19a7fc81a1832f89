import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// The candidates of a search with what their scores mean beside each other.
struct CandidateTable {
    /// The best first; those that were judged at a part of the resource after the others, and those without a score last.
    let rows: [CandidateResult]
    private let isGain: Bool
    private let constant: CandidateResult?
    /// The candidates within one standard error of the best one that can be chosen, which the constant cannot.
    private let closeToChoice: Set<Int>

    init(_ run: TuningRun, _ items: [CandidateItem], _ statistics: ScoreStatistics?) {
        isGain = statistics?.isGain ?? false
        let gain = isGain
        var entries: [(item: CandidateItem, share: Double, done: DoneCandidate)] = []
        for item in items {
            guard let share = run.latestShare(item), let done = run.known(item, share) else { continue }
            entries.append((item, share, done))
        }
        func loss(_ entry: (item: CandidateItem, share: Double, done: DoneCandidate)) -> Double {
            guard let score = entry.done.score, score.isFinite else { return .infinity }
            return gain ? -score : score
        }
        entries.sort { first, second in
            let (one, other) = (loss(first), loss(second))
            if one.isFinite != other.isFinite { return one.isFinite }
            if first.share != second.share { return first.share > second.share }
            return (one, first.item.number) < (other, second.item.number)
        }
        let choice = entries.first { $0.item.learner != nil && $0.share == 1 && loss($0).isFinite }?.done
            .scored
        closeToChoice = Set(
            entries.filter { entry in
                guard entry.share == 1, let scored = entry.done.scored, let choice, let statistics else {
                    return false
                }
                let difference = statistics.difference(scored, choice)
                return difference.value <= difference.stdError
            }.map(\.item.number))
        let leading = entries.first.flatMap { $0.share == 1 ? $0.done.scored : nil }
        rows = entries.map { entry in
            let scored = entry.done.scored
            var difference: (value: Double, stdError: Double)?
            if let scored, let leading, let statistics {
                difference = statistics.difference(scored, leading)
            }
            var nuisances: [SearchSpace.Role: (train: NuisanceScores?, validation: NuisanceScores?)] = [:]
            for nuisance in entry.item.nuisances {
                if let known = run.known(nuisance, 1) {
                    nuisances[nuisance.role] = (known.train, known.validation)
                }
            }
            let rounds = run.shares.compactMap { run.known(entry.item, $0) }
            return CandidateResult(
                number: entry.item.number, learner: entry.item.learner, models: entry.item.models,
                resource: entry.share, score: entry.done.score,
                stdError: scored.flatMap { scored in statistics.map { $0.stdError(scored) } },
                difference: difference?.value, differenceStdError: difference?.stdError,
                isClose: difference.map { entry.share == 1 && $0.value <= $0.stdError } ?? false,
                trainScore: entry.done.trainScore, spread: entry.done.spread, nuisances: nuisances,
                fitSeconds: rounds.reduce(0) { $0 + $1.fitSeconds }, fits: rounds.reduce(0) { $0 + $1.fits },
                scoreSeconds: rounds.reduce(0) { $0 + $1.scoreSeconds }, note: entry.done.note)
        }
        constant = rows.first { $0.learner == nil }
    }

    /// The candidate that a rule chooses; nil where none but the constant has a score.
    func best(_ rule: TuningSpec.Choice) -> CandidateResult? {
        let able = rows.filter { $0.learner != nil && $0.score?.isFinite == true && $0.resource == 1 }
        guard rule == .oneStdError else { return able.first }
        let close = able.filter { closeToChoice.contains($0.number) }
        let plainest = close.indices.min {
            (close[$0].spread ?? .infinity, $0) < (close[$1].spread ?? .infinity, $1)
        }
        return plainest.map { close[$0] } ?? able.first
    }

    /// What the table says, in whole sentences.
    ///
    /// - Parameter isFlattered: whether scores of a learner are a little too good, so that they cannot prove that effects differ.
    func findings(
        _ best: CandidateResult?, isComplete: Bool, isFlattered: (LearnerKind) -> Bool
    ) -> [String] {
        var sentences: [String] = []
        if let best {
            let others = rows.filter { $0.isClose && $0.number != best.number && $0.learner != nil }.count
            sentences.append(
                "Chosen is candidate \(best.number): \(Self.text(best))"
                    + (best.score.map { ", with a score of \(Self.number($0))" } ?? "") + "."
                    + (others > 0
                        ? " \(NumberText.counted(others, "other candidate")) \(others == 1 ? "is" : "are") within one standard error of the best."
                        : ""))
        }
        if let first = rows.first, let constant, let difference = constant.difference,
            let error = constant.differenceStdError
        {
            let numbers = "\(Self.number(difference)) (std. error \(Self.number(error)))"
            if first.learner == nil {
                sentences.append(
                    "One effect for everybody has the best score: these candidates do not show that effects differ."
                )
            } else if let learner = first.learner, isFlattered(learner) {
                sentences.append(
                    "One effect for everybody has a worse score than the best candidate, by \(numbers), which proves nothing: models of outcomes and weights behind "
                        + "an effect of '\(learner.rawValue)' saw the row that it is judged by. Judge by others: tuning.validation_share."
                )
            } else if difference > 1.96 * error {
                sentences.append(
                    "Telling people apart pays: one effect for everybody is worse than the best candidate by \(numbers)."
                )
            } else {
                sentences.append(
                    "One effect for everybody is not demonstrably worse than the best candidate: the difference is \(numbers)."
                )
            }
        }
        let failed = rows.filter { $0.score == nil }
        if let first = failed.first {
            sentences.append(
                "\(NumberText.counted(failed.count, "candidate")) could not be fitted, such as candidate \(first.number): \(first.note ?? "")."
            )
        }
        if rows.filter({ $0.learner != nil && $0.score != nil }).count > 20 {
            sentences.append(
                "The best of many scores is a little too good: judge the chosen model by rows that took no part in the search."
            )
        }
        if !isComplete { sentences.append("The search was interrupted: this is what was ready.") }
        return sentences
    }

    private static func number(_ value: Double) -> String {
        NumberText.fixed(value, decimals: NumberText.decimals(for: [value]))
    }

    /// A candidate in words: the learner with its base learners.
    private static func text(_ candidate: CandidateResult) -> String {
        var parts: [String] = []
        for role in SearchSpace.Role.allCases {
            guard let model = candidate.models[role] else { continue }
            let settings = model.entries.filter { $0.key != "backend" && $0.value != "none" }
                .map { "\($0.key) \($0.value.json())" }
            parts.append(
                "\(role.rawValue) \(model["backend"]?.stringValue ?? "")"
                    + (settings.isEmpty ? "" : " (" + settings.joined(separator: ", ") + ")"))
        }
        return (candidate.learner?.rawValue ?? "constant")
            + (parts.isEmpty ? "" : " with " + parts.joined(separator: ", "))
    }
}
