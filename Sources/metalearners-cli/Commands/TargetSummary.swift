import CausalAnalysis
import MetaLearnersCore
import Reporting

/// What `target` decided, and what it can be expected to bring.
struct TargetSummary {
    let rows: TargetRows
    let allocation: TreatmentAllocation
    let limit: TreatmentAllocation.Limit
    let gain: TargetingGain?
    /// The gain of as many rows that are drawn at random.
    let random: TargetingGain?
    /// What is really gained, where the truth is known.
    let truth: TargetingTruth?
    /// Why there is no expected gain.
    let note: String?
    let warnings: [String]

    /// The summary for programs.
    var specValue: SpecValue {
        let (kind, amount): (String, Double) =
            switch limit {
            case .threshold(let value): ("threshold", value)
            case .share(let value): ("share", value)
            case .budget(let value): ("budget", value)
            }
        return [
            "rows": .integer(rows.count), "treated": .integer(allocation.treatedCount),
            "limit": [kind: .number(amount)],
            "arms": .array(
                rows.armLabels.indices.map {
                    ["arm": .string(rows.armLabels[$0]), "rows": .integer(counts[$0])]
                }),
            "cost": .number(allocation.cost), "predicted_gain": .number(allocation.gain),
            "optimality_bound": .number(allocation.bound),
            "last_slope": allocation.lastSlope.isFinite ? .number(allocation.lastSlope) : .null,
            "expected_gain": gain?.specValue ?? .null, "random_gain": random?.specValue ?? .null,
            "true_gain": truth?.specValue ?? .null, "note": note.map { .string($0) } ?? .null,
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }

    private var counts: [Int] {
        var counts = [Int](repeating: 0, count: rows.armLabels.count)
        for arm in allocation.decisions { counts[Int(arm)] += 1 }
        return counts
    }

    /// The summary for people.
    var text: String {
        guard allocation.treatedCount > 0 else {
            return "Nobody is treated: no effect is large enough.\n" + Self.moreIsBetter
        }
        let share = Double(allocation.treatedCount) / Double(max(rows.count, 1))
        var lines = [
            "Treats \(NumberText.grouped(allocation.treatedCount)) of \(NumberText.grouped(rows.count)) rows (\(NumberText.fixed(share * 100, decimals: 1)) %)"
                + (rows.costs == nil ? "." : " for \(number(allocation.cost)).")
        ]
        if rows.armLabels.count > 2 {
            let parts = rows.armLabels.indices.dropFirst().map {
                "\(NumberText.grouped(counts[$0])) get \(rows.armLabels[$0])"
            }
            lines.append("Of these " + parts.joined(separator: ", ") + ".")
        }
        if let gain {
            let basis =
                switch gain.basis {
                case .theseRows:
                    rows.study?.origin == .inSample
                        ? "by the outcomes of these rows, which the models saw: too large"
                        : "by the outcomes of these rows, whose effects are out of fold"
                case .trainingRows:
                    "by the outcomes of the training rows that the same rule treats, if the new rows are like them"
                case .similarRows:
                    "by the outcomes of the training rows whose effects are like those of the treated, if the new rows are like them"
                }
            lines.append(
                "Expected gain: \(number(gain.estimate)) (\(NumberText.percent(gain.level)) % interval \(number(gain.lower)) to \(number(gain.upper))), \(basis)."
            )
        } else if let note {
            lines.append("No interval of the gain: \(note).")
        }
        if let random {
            lines.append(
                "As many rows drawn at random: \(number(random.estimate)) (\(number(random.lower)) to \(number(random.upper)))."
            )
        }
        if let truth {
            lines.append(
                "By the true effects: \(number(truth.achieved)), where as many at random gain \(number(truth.random)) and the best choice \(number(truth.best))."
            )
        }
        lines.append("By the predicted effects alone: \(number(allocation.gain)).")
        if case .budget = limit, allocation.bound > allocation.gain * (1 + 1e-9) {
            lines.append(
                "No other choice within the budget could have more than \(number(allocation.bound)) by these effects."
            )
        }
        return lines.joined(separator: "\n") + "\n" + Self.moreIsBetter
    }

    private static let moreIsBetter =
        "More of the outcome counts as better; where less of it is, fit the negative.\n"

    private func number(_ value: Double) -> String {
        let decimals = NumberText.decimals(for: [value])
        return decimals == 0 && abs(value) < 1e12
            ? NumberText.grouped(Int(value.rounded())) : NumberText.fixed(value, decimals: decimals)
    }
}
