import Reporting
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
        if let calibration = model.calibration { object["calibration"] = calibration.report.specValue }
        object["intervals"] = model.intervalMethod.map { .string($0.rawValue) } ?? .null
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
        facts.append(["Learner", learnerText])
        facts.append(["Models", modelsText])
        facts.append([
            "Outcome", "\(spec.data.outcome ?? ""), \(model.outcomeKind.name)",
        ])
        var rows =
            "\(NumberText.grouped(dataset.rowCount)) with \(NumberText.counted(dataset.covariates.columns.count, "covariate"))"
        if let clusterCount { rows += ", in \(NumberText.counted(clusterCount, "cluster"))" }
        facts.append(["Rows", rows])
        facts.append(["Treatment", spec.data.treatment ?? ""])
        if let method = model.intervalMethod {
            facts.append(["Intervals", "\(method.rawValue), of rows: predict --intervals"])
        }
        return facts.text().drop { $0.isNewline } + "\n" + ArmsText.text(model) + "\nAverage effects\n"
            + AverageEffectTable.text(estimates, indent: 2) + "\nEffects of rows, \(spreadTitle)\n"
            + spreadText
            + "\nRead in \(duration(seconds.read)), fitted in \(duration(seconds.fit)), at most "
            + "\(NumberText.fixed(Double(PeakMemory.bytes) / 1e6, decimals: 0)) MB of memory.\n"
    }

    private var learnerText: String {
        let spec = model.spec
        var text = spec.learner.rawValue
        if spec.learner == .r, spec.multiArm == .joint, model.armLabels.count > 2 { text += ", joint" }
        text += ", " + NumberText.counted(spec.crossFitting.foldCount, "fold")
        if spec.crossFitting.repeats > 1 {
            text += " × \(spec.crossFitting.repeats) repeats (\(spec.crossFitting.aggregation.rawValue))"
        }
        return text + ", seed \(spec.seed)"
    }

    /// The backends of the models that were fitted: those of single arms after the common ones.
    private var modelsText: String {
        let models = model.spec.models
        switch model.spec.learner {
        case .auto: return candidatesText
        case .ensemble:
            return "members " + model.spec.ensemble.members.map(\.learner.rawValue).joined(separator: ", ")
        default: break
        }
        var parts = ["outcome \(models.outcome.backend)"]
        parts.append("propensity " + (model.overlap.isKnown ? "known" : models.propensity.backend))
        let hasEffects = ![.s, .t].contains(model.spec.learner)
        if hasEffects { parts.append("effect \(models.effect.backend)") }
        for arm in models.arms {
            if let own = arm.outcome { parts.append("outcome of '\(arm.label)' \(own.backend)") }
            if hasEffects, let own = arm.effect { parts.append("effect of '\(arm.label)' \(own.backend)") }
        }
        return parts.joined(separator: ", ")
    }

    /// What the candidates of `auto` count, those that count at all.
    private var candidatesText: String {
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

    private var spreadTitle: String {
        switch model.spec.crossFitting.inSample {
        case .outOfFold: model.spec.crossFitting.foldCount > 1 ? "out of fold" : "in sample"
        case .nested: "out of fold, nuisances too (nested)"
        case .full: "in sample (full)"
        }
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
