import MetaLearnersCore

/// What repeats of a refutation say of an arm.
struct RefutationSummary {
    /// The arm's label.
    let arm: String
    /// The estimate of the study.
    let original: NormalEstimate
    /// The estimates of the repeats.
    let repeats: [NormalEstimate]
    /// Their mean.
    let mean: Double
    /// Their standard deviation; 0 for a single one.
    let deviation: Double

    init(_ arm: String, _ original: NormalEstimate, _ repeats: [NormalEstimate]) {
        self.arm = arm
        self.original = original
        self.repeats = repeats
        var moments = WeightedMoments()
        for entry in repeats { moments.add(entry.estimate, weight: 1) }
        mean = moments.mean
        deviation = (moments.variance ?? 0).squareRoot()
    }

    /// How far the mean lies from a number, in standard errors of the mean.
    func distance(from value: Double) -> Double {
        let error = deviation / Double(repeats.count).squareRoot()
        return error > 0 ? abs(mean - value) / error : abs(mean - value) > 1e-12 ? .infinity : 0
    }

    /// How many repeats are as far from 0 as the original.
    var exceeding: Int { repeats.count { abs($0.estimate) >= abs(original.estimate) } }

    /// How many intervals of repeats leave 0 out.
    func significant(level: Double) -> Int { repeats.count { $0.pValue < 1 - level } }

    /// By how many standard errors of the original the mean differs from it.
    var shift: Double {
        let difference = abs(mean - original.estimate)
        return original.stdError > 0 ? difference / original.stdError : difference > 1e-12 ? .infinity : 0
    }
}

/// Makes the answer of a refutation out of its repeats: verdict, summary, every repeat and their picture.
struct RefutationReport {
    /// What the repeats say of one arm.
    typealias Judgement = (passed: Bool, sentence: String)

    /// The answer.
    private(set) var result: AnalysisResult

    /// - Parameters:
    ///   - title: what a repeat is, as the tables say it.
    ///   - judge: the verdict on an arm.
    init(
        _ empty: AnalysisResult, _ study: CausalStudy, arms: [Int], level: Double, title: String,
        original: RefutationFit.Estimate, _ repeats: [RefutationFit.Estimate?],
        judge: (RefutationSummary) -> Judgement
    ) {
        result = empty
        let done = repeats.indices.compactMap { index in repeats[index].map { (index + 1, $0) } }
        var summary = ResultTable(
            "summary", title,
            [
                .init("arm", "arm", .text), .init("original", "original", .number),
                .init("mean", "mean of repeats", .number), .init("std_dev", "std. deviation", .number),
                .init("minimum", "lowest", .number), .init("maximum", "highest", .number),
                .init("repeats", "repeats", .count),
                .init("significant", "intervals without 0", .count), .init("verdict", "verdict", .text),
            ]
                + (original.spreads.isEmpty
                    ? []
                    : [
                        .init("original_spread", "spread of effects", .number),
                        .init("mean_spread", "in repeats", .number),
                    ]))
        var detail = ResultTable(
            "repeats", "Every repeat",
            [.init("repeat", "repeat", .count), .init("arm", "arm", .text)]
                + ResultTable.estimateColumns(level: level) + [.init("spread", "spread of effects", .number)])
        detail.isDetail = true
        var passed = true
        for arm in arms {
            let label = study.armLabels[arm]
            let own = RefutationSummary(
                label, original.effects[arm - 1], done.map { $0.1.effects[arm - 1] })
            let judgement = judge(own)
            passed = passed && judgement.passed
            result.findings.append((judgement.passed ? "Passed: " : "Failed: ") + judgement.sentence)
            let estimates = own.repeats.map(\.estimate)
            var row: [SpecValue] = [
                .string(label), .number(own.original.estimate), .number(own.mean), .number(own.deviation),
                .number(estimates.min() ?? .nan), .number(estimates.max() ?? .nan),
                .integer(estimates.count), .integer(own.significant(level: level)),
                .string(judgement.passed ? "passed" : "failed"),
            ]
            if !original.spreads.isEmpty {
                let spreads = done.map { $0.1.spreads[arm - 1] }
                row += [
                    .number(original.spreads[arm - 1]),
                    .number(spreads.reduce(0, +) / Double(max(spreads.count, 1))),
                ]
            }
            summary.append(row)
            for (number, estimate) in done {
                let effect = estimate.effects[arm - 1]
                let interval = effect.interval(level: level)
                detail.append([
                    .integer(number), .string(label), .number(effect.estimate), .number(effect.stdError),
                    .number(interval.lower), .number(interval.upper), .number(effect.pValue),
                    estimate.spreads.isEmpty ? .null : .number(estimate.spreads[arm - 1]),
                ])
            }
            let intervals = own.repeats.map { $0.interval(level: level) }
            result.charts.append(
                Chart(
                    "repeats_\(label)", "\(title): '\(label)'", x: Chart.Axis("repeat, in order of size"),
                    y: Chart.Axis("average effect"),
                    series: [
                        Self.series(estimates, intervals)
                    ],
                    references: [
                        Chart.Reference("original", own.original.estimate), Chart.Reference("no effect", 0),
                    ]))
        }
        result.values["verdict"] = .string(passed ? "passed" : "failed")
        result.values["fitted_models"] = .integer(done.reduce(0) { $0 + $1.1.modelCount })
        result.tables = [summary, detail]
        result.isComplete = done.count == repeats.count
    }

    private static func series(_ estimates: [Double], _ intervals: [(lower: Double, upper: Double)])
        -> Chart.Series
    {
        let order = estimates.indices.sorted { estimates[$0] < estimates[$1] }
        return Chart.Series(
            "repeats", .points, x: order.indices.map { Double($0 + 1) }, y: order.map { estimates[$0] },
            lower: order.map { intervals[$0].lower }, upper: order.map { intervals[$0].upper })
    }
}
