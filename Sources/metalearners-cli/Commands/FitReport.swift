import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// What `metalearners fit` has to say, for programs and for people: the same numbers.
struct FitReport {
    let model: CATEModel
    let dataset: CausalDataset
    let estimates: [AverageEffect]
    let seconds: (read: Double, fit: Double, predict: Double)
    let warnings: [String]

    private var spreads: [EffectSpread] {
        let classes = model.outcomeKind.effectClasses
        let names = model.armLabels.dropFirst().flatMap { arm in
            classes.isEmpty ? [arm] : classes.map { "\(arm): \($0)" }
        }
        return zip(names, model.trainingEffects).map { EffectSpread(arm: $0, $1) }
    }

    private var clusterCount: Int? { dataset.clusters.map { Set($0).count } }

    /// The report as JSON has it.
    var specValue: SpecValue {
        var object = SpecObject([
            ("learner", .string(model.spec.learner.rawValue)), ("rows", .integer(dataset.rowCount)),
            (
                "arms",
                .array(
                    zip(model.armLabels, model.armCounts).map {
                        ["label": .string($0), "rows": .integer($1)]
                    })
            ),
            ("outcome_type", .string(model.outcomeKind.name)),
            ("covariates", .integer(dataset.covariates.columns.count)),
        ])
        if let clusterCount { object["clusters"] = .integer(clusterCount) }
        object["estimates"] = .array(estimates.map(\.specValue))
        object["effects"] = .array(spreads.map(\.specValue))
        object["overlap"] = model.overlap.specValue
        object["seconds"] = [
            "read": .number(seconds.read), "fit": .number(seconds.fit), "predict": .number(seconds.predict),
        ]
        object["peak_memory_bytes"] = .integer(PeakMemory.bytes)
        object["warnings"] = .array(warnings.map { .string($0) })
        return .object(object)
    }

    /// The report as text.
    var text: String {
        let spec = model.spec
        var facts = TextTable([("", .left), ("", .left)])
        facts.append([
            "Learner",
            "\(spec.learner.rawValue), \(NumberText.counted(spec.crossFitting.folds, "fold")), seed \(spec.seed)",
        ])
        facts.append(["Models", modelsText])
        facts.append([
            "Outcome", "\(spec.data.outcome ?? ""), \(model.outcomeKind.name)",
        ])
        var rows =
            "\(NumberText.grouped(dataset.rowCount)) with \(NumberText.counted(dataset.covariates.columns.count, "covariate"))"
        if let clusterCount { rows += ", in \(NumberText.counted(clusterCount, "cluster"))" }
        facts.append(["Rows", rows])
        facts.append(["Treatment", spec.data.treatment ?? ""])
        return facts.text().drop { $0.isNewline } + "\n" + armsText + "\nAverage effects\n"
            + AverageEffectTable.text(estimates, indent: 2) + "\nEffects of rows, out of fold\n" + spreadText
            + "\nRead in \(duration(seconds.read)), fitted in \(duration(seconds.fit)), at most "
            + "\(NumberText.fixed(Double(PeakMemory.bytes) / 1e6, decimals: 0)) MB of memory.\n"
    }

    /// The backends; for `auto`, which has models of its own, what its candidates count.
    private var modelsText: String {
        let models = model.spec.models
        guard model.spec.learner == .auto else {
            return
                "outcome \(models.outcome.backend), propensity \(models.propensity.backend), effect \(models.effect.backend)"
        }
        let arms = model.summary.objectValue?["ensemble"]?.objectValue ?? SpecObject()
        return arms.entries.map { arm, weights in
            let counting = (weights.objectValue?.entries ?? []).compactMap { name, weight in
                weight.doubleValue.map { (name: name, weight: $0) }
            }.filter { $0.weight >= 0.01 }.sorted { $0.weight > $1.weight }
            let text = counting.map { "\($0.name) \(NumberText.fixed(100 * $0.weight, decimals: 0)) %" }
                .joined(separator: ", ")
            return arms.entries.count > 1 ? "\(arm): \(text)" : text
        }.joined(separator: "; ")
    }

    private var armsText: String {
        var table = TextTable([("arm", .left), ("rows", .right), ("share", .right), ("propensity", .right)])
        for (arm, label) in model.armLabels.enumerated() {
            let judged = model.overlap.arms.first { $0.label == label }
            let share = Double(model.armCounts[arm]) / Double(max(dataset.rowCount, 1))
            table.append([
                arm == 0 ? "\(label) (control)" : label, NumberText.grouped(model.armCounts[arm]),
                NumberText.fixed(share * 100, decimals: 1) + " %",
                judged.map {
                    NumberText.fixed($0.range.lowerBound, decimals: 3) + " to "
                        + NumberText.fixed($0.range.upperBound, decimals: 3)
                } ?? "",
            ])
        }
        let bounds = model.overlap.bounds.map(NumberText.shortest).joined(separator: " to ")
        let touched = NumberText.counted(model.overlap.touched, "row")
        let overlap =
            model.overlap.isKnown
            ? "The propensities are known."
            : "Propensities outside \(bounds): \(touched) (\(model.overlap.policy.rawValue))."
        return "Arms\n" + table.text(indent: 2) + "  \(overlap)\n"
    }

    private var spreadText: String {
        var table = TextTable(
            [("arm", .left), ("mean", .right), ("std. dev.", .right)]
                + EffectSpread.quantiles.map { ($0.title, TextTable.Alignment.right) })
        let spreads = spreads
        let decimals = NumberText.decimals(for: spreads.flatMap(\.values))
        for spread in spreads {
            let numbers = [spread.mean, spread.stdDeviation] + spread.values
            table.append([spread.arm] + numbers.map { NumberText.fixed($0, decimals: decimals) })
        }
        return table.text(indent: 2)
    }

    private func duration(_ seconds: Double) -> String { NumberText.fixed(seconds, decimals: 2) + " s" }
}
