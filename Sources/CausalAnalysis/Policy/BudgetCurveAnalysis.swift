import MetaLearnersCore

/// What more budget brings: the gain of treating by the effects, over budgets from nothing to enough for all who gain.
public struct BudgetCurveAnalysis: Analysis {
    public static let name = "budget_curve"
    public static let title = "Gain for each budget"
    public static let summary =
        "How much is gained with which budget, and how much is lost by not having more?"
    public static let topic = AnalysisTopic.policy
    public static let parameters: [Parameter<BudgetCurveAnalysis>] = [
        .integer(
            "points", \.points, in: 2...1000,
            "how many budgets, evenly spaced from the first above nothing to all"),
        .cost(\.cost, "what treatment costs each row; 1 where absent"), .byCluster(\.byCluster),
        .level(\.level),
    ]

    /// How many budgets.
    public var points = 20
    /// What treatment costs.
    public var cost = PolicyCosts()
    /// Whether clusters are treated as a whole.
    public var byCluster = false
    /// The level of intervals.
    public var level = AverageEffect.standardLevel

    public init() {}

    public var needs: StudyParts { [.scores, .effects] }

    public var dataColumns: [String] { cost.columns }
    public var foreignColumns: [String] { cost.columns }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let evaluation = try PolicyEvaluation(study)
        let costs = try cost.resolved(in: study.columns, armLabels: study.armLabels)
        var effects: [[Double]] = []
        for arm in 1..<study.armCount { effects.append(try study.orderingEffect(arm)) }
        let units = try study.policyUnits(byCluster: byCluster)
        let total = evaluation.weights.reduce(0, +)
        var steps = AllocationSteps(effects, costs: costs, evaluation.weights, units)
        steps.sort()
        // Everybody with the arm at the end of his rising hull: no budget could be spent beyond this.
        let largest = try steps.taken(within: .threshold(0)).cost

        var result = emptyResult
        result.assumptions = PolicyEvaluation.assumptions
        result.warnings = PolicyEvaluation.warnings(study)
        guard largest > 0 else {
            result.findings = ["No budget brings anything: no effect is above 0."]
            return result
        }
        var curve = Curve(self, study, evaluation, costs, units)
        for point in 1...points {
            do throws(MetaLearnersError) {
                try scheduler.context.checkCancellation()
            } catch {
                result.isComplete = false
                break
            }
            let budget = largest * Double(point) / Double(points)
            curve.append(
                budget: budget,
                TreatmentAllocation(
                    steps.taken(room: budget), steps, effects, costs, evaluation.weights, units))
        }
        let table = curve.table(total: total)
        result.tables = [table]
        result.charts = [chart(table)]
        result.values["largest_budget_per_row"] = .number(largest / total)
        result.findings = findings(table, study, losesBeyond: curve.losesBeyond(level: level))
        return result
    }

    private func chart(_ table: ResultTable) -> Chart {
        let x = table.numbers("budget_per_row")
        var series = [
            Chart.Series(
                "by the effects", .line, x: x, y: table.numbers("estimate"), lower: table.numbers("lower"),
                upper: table.numbers("upper")),
            Chart.Series("at random", .line, x: x, y: table.numbers("random_gain")),
        ]
        if !table.column("oracle_gain").isEmpty {
            series.append(Chart.Series("by the true effects", .line, x: x, y: table.numbers("oracle_gain")))
        }
        return Chart(
            "budget_curve", "Gain for each budget",
            x: .init(
                cost.entries.isEmpty ? "share treated" : "cost for each row", isShare: cost.entries.isEmpty),
            y: .init("gain over treating nobody"), series: series, references: [.init("nobody", 0)])
    }

    private func findings(_ table: ResultTable, _ study: CausalStudy, losesBeyond best: Int?) -> [String] {
        let gains = table.numbers("estimate")
        guard let last = gains.last else { return [] }
        let budgets = table.numbers("budget_per_row")
        var sentences = [
            "Treating all whose effect is above 0 costs \(Sentence.number(budgets.last ?? 0)) for each row and changes the mean of \(study.names.outcome) by \(Sentence.number(last))."
        ]
        if last > 0, let half = gains.indices.first(where: { gains[$0] >= last / 2 }) {
            sentences.append(
                "Half of that gain is had with a budget of \(Sentence.number(budgets[half])), \(Sentence.share(budgets[half] / (budgets.last ?? 1))) of the largest."
            )
        }
        if let best {
            sentences.append(
                "Beyond a budget of \(Sentence.number(budgets[best])) those who are added lose: with it the gain is larger than with all, by more than chance."
            )
        }
        return sentences
    }

    /// The rows of the table, as they come.
    private struct Curve {
        private let analysis: BudgetCurveAnalysis
        private let evaluation: PolicyEvaluation
        private let oracle: AllocationSteps?
        private let costs: [[Double]]?
        private let units: [Int32]?
        private let truth: [[Double]]?
        /// For random targeting: the gain of one unit of cost on the arm that is best on average.
        private let randomSlope: Double
        private var rows:
            [(budget: Double, allocation: TreatmentAllocation, estimate: NormalEstimate, oracle: Double)] = []

        init(
            _ analysis: BudgetCurveAnalysis, _ study: CausalStudy, _ evaluation: PolicyEvaluation,
            _ costs: [[Double]]?,
            _ units: [Int32]?
        ) {
            self.analysis = analysis
            self.evaluation = evaluation
            self.costs = costs
            self.units = units
            truth = study.trueEffects
            oracle = truth.map {
                var steps = AllocationSteps($0, costs: costs, evaluation.weights, units)
                steps.sort()
                return steps
            }
            let total = evaluation.weights.reduce(0, +)
            randomSlope =
                (1..<study.armCount).map { arm in
                    let gain = evaluation.difference(evaluation.scores(arm: arm), evaluation.scores(arm: 0))
                        .estimate
                    guard let costs else { return gain }
                    let cost =
                        costs[arm - 1].indices.reduce(0) { $0 + evaluation.weights[$1] * costs[arm - 1][$1] }
                        / total
                    return gain / cost
                }.max() ?? 0
        }

        mutating func append(budget: Double, _ allocation: TreatmentAllocation) {
            let estimate = evaluation.gain(allocation.decisions)
            var best = Double.nan
            if let oracle, let truth {
                best =
                    TreatmentAllocation(
                        oracle.taken(room: budget), oracle, truth, costs, evaluation.weights, units
                    ).gain
            }
            rows.append((budget, allocation, estimate, best))
        }

        /// The budget of the largest gain, where that is above the gain of the largest budget by more than chance: the p-value of the difference
        /// counts as many times as there are budgets, because the largest of many noisy gains is large anyway.
        func losesBeyond(level: Double) -> Int? {
            guard let last = rows.last,
                let best = rows.indices.max(by: { rows[$0].estimate.estimate < rows[$1].estimate.estimate }),
                best < rows.count - 1
            else { return nil }
            let loss = evaluation.difference(
                evaluation.scores(rows[best].allocation.decisions),
                evaluation.scores(last.allocation.decisions)
            ).withError(times: evaluation.study.orderingErrorFactor)
            return loss.pValue * Double(rows.count) < 1 - level ? best : nil
        }

        func table(total: Double) -> ResultTable {
            var columns: [ResultTable.Column] =
                [
                    .init("budget_per_row", "budget per row", .number),
                    .init("cost_per_row", "cost per row", .number),
                    .init("treated_share", "treated", .share),
                ] + ResultTable.estimateColumns("gain", level: analysis.level) + [
                    .init("predicted_gain", "predicted", .number), .init("random_gain", "at random", .number),
                    .init("regret", "less than with all", .number),
                    .init("last_slope", "gain of one more", .number),
                ]
            if truth != nil {
                columns += [
                    .init("true_gain", "true gain", .number), .init("oracle_gain", "best possible", .number),
                    .init("true_regret", "true regret", .number),
                ]
            }
            var table = ResultTable("curve", "Gain for each budget", columns)
            let largest = rows.last?.estimate.estimate ?? 0
            for row in rows {
                var cells: [SpecValue] =
                    [
                        .number(row.budget / total), .number(row.allocation.cost / total),
                        .number(row.allocation.treatedWeight / total),
                    ] + ResultTable.cells(row.estimate, level: analysis.level) + [
                        .number(row.allocation.gain / total), .number(randomSlope * row.budget / total),
                        .number(largest - row.estimate.estimate), .number(row.allocation.lastSlope),
                    ]
                if let truth {
                    var gain = 0.0
                    for (index, arm) in row.allocation.decisions.enumerated() where arm > 0 {
                        gain += evaluation.weights[index] * truth[Int(arm) - 1][index]
                    }
                    cells += [
                        .number(gain / total), .number(row.oracle / total),
                        .number((row.oracle - gain) / total),
                    ]
                }
                table.append(cells)
            }
            return table
        }
    }
}
