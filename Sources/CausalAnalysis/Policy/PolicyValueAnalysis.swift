import MetaLearnersCore

/// The value of a policy made of effects, and what it gains over simpler ones.
public struct PolicyValueAnalysis: Analysis {
    public static let name = "policy_value"
    public static let title = "Value of treating by the effects"
    public static let summary =
        "What is it worth to treat by the effects, compared with nobody, everybody, and as many at random?"
    public static let topic = AnalysisTopic.policy
    public static let parameters: [Parameter<PolicyValueAnalysis>] =
        Parameter<PolicyValueAnalysis>.policyLimit(
            threshold: \.limit.threshold, share: \.limit.share, budget: \.limit.budget) + [
            .cost(\.cost, "what treatment costs each row; 1 where absent"), .byCluster(\.byCluster),
            .level(\.level),
        ]

    /// What limits treatment.
    var limit = PolicyLimit()
    /// What treatment costs.
    public var cost = PolicyCosts()
    /// Whether clusters are treated as a whole.
    public var byCluster = false
    /// The level of intervals.
    public var level = AverageEffect.standardLevel

    /// Treats where the effect for each unit of cost is above this.
    public var threshold: Double? {
        get { limit.threshold }
        set { limit.threshold = newValue }
    }
    /// Treats this share of the rows.
    public var share: Double? {
        get { limit.share }
        set { limit.share = newValue }
    }
    /// Spends this much for each row on average.
    public var budgetPerRow: Double? {
        get { limit.budget }
        set { limit.budget = newValue }
    }

    public init() {}

    public func check(at place: SpecPath) throws(MetaLearnersError) { try limit.check(at: place) }

    public var needs: StudyParts { [.scores, .effects] }

    public var dataColumns: [String] { cost.columns }
    public var foreignColumns: [String] { cost.columns }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let evaluation = try PolicyEvaluation(study)
        let costs = try cost.resolved(in: study.columns, armLabels: study.armLabels)
        let limit = limit.limit(totalWeight: evaluation.weights.reduce(0, +))
        let effects = try study.decidingEffects(limit)
        let allocation = try TreatmentAllocation(
            effects: effects, costs: costs, weights: evaluation.weights,
            units: study.policyUnits(byCluster: byCluster), limit: limit)
        try scheduler.context.checkCancellation()

        var result = emptyResult
        let total = evaluation.weights.reduce(0, +)
        let shares = evaluation.shares(allocation.decisions)
        result.values["treated_share"] = .number(1 - shares[0])
        result.values["treated_rows"] = .integer(
            allocation.decisions.indices.count { allocation.decisions[$0] > 0 && evaluation.weights[$0] > 0 })
        result.values["mean_cost"] = .number(allocation.cost / total)
        result.values["predicted_gain"] = .number(allocation.gain / total)
        result.values["optimality_bound"] = .number(allocation.bound / total)
        result.values["last_slope"] = allocation.lastSlope.isFinite ? .number(allocation.lastSlope) : .null
        let tables = try tables(evaluation, allocation, shares)
        result.tables = [
            tables.values, tables.gains, armTable(study, evaluation, allocation, effects, costs),
        ]
        result.charts = [chart(tables.values)]
        result.rowColumns = [
            RowColumn("decision", allocation.decisions.map { Double($0) }, labels: study.armLabels),
            RowColumn("rank", allocation.ranks.map { Double($0) }),
        ]
        result.findings = findings(tables.gains, study, treated: 1 - shares[0])
        result.assumptions = PolicyEvaluation.assumptions
        result.warnings = PolicyEvaluation.warnings(study)
        return result
    }

    /// The values of the policy and of those that it is compared with, and the gains over these.
    private func tables(
        _ evaluation: PolicyEvaluation, _ allocation: TreatmentAllocation, _ shares: [Double]
    ) throws(MetaLearnersError) -> (values: ResultTable, gains: ResultTable) {
        let study = evaluation.study
        var values = ResultTable(
            "values", "Mean outcome under each policy",
            [.init("policy", "policy", .text), .init("method", "method", .text)]
                + ResultTable.estimateColumns("mean outcome", level: level) + [.init("note", "note", .text)])
        var gains = ResultTable(
            "gains", "Gain of the policy over others",
            [.init("over", "over", .text), .init("method", "method", .text)]
                + ResultTable.estimateColumns("gain", level: level) + [.init("note", "note", .text)])
        for method in PolicyEvaluation.Method.allCases {
            let own = try evaluation.scores(allocation.decisions, method)
            var others: [(String, [Double])] = []
            for arm in 0..<study.armCount {
                let everybody = [Int32](repeating: Int32(arm), count: study.rowCount)
                let label = study.armCount == 2 ? "everybody" : "everybody in arm \(study.armLabels[arm])"
                others.append((arm == 0 ? "nobody" : label, try evaluation.scores(everybody, method)))
            }
            let random = try evaluation.scores(random: shares, method)
            others.append(("random", random))
            for (name, scores) in [("policy", own)] + others {
                let isKnown = scores.allSatisfy(\.isFinite)
                let note = isKnown ? SpecValue.null : "no row was in the arm that the policy gives it"
                values.append(
                    [.string(name), .string(method.rawValue)]
                        + ResultTable.cells(
                            !isKnown
                                ? nil
                                : name == "policy"
                                    ? evaluation.allowingForOrder(
                                        evaluation.mean(scores), own, random: random)
                                    : evaluation.mean(scores), level: level) + [note])
                guard name != "policy" else { continue }
                let canCompare = isKnown && own.allSatisfy(\.isFinite)
                gains.append(
                    [.string(name), .string(method.rawValue)]
                        + ResultTable.cells(
                            canCompare
                                ? evaluation.allowingForOrder(
                                    evaluation.difference(own, scores), own, random: random) : nil,
                            level: level) + [
                            canCompare ? .null : "no row was in the arm that one of the two gives it"
                        ])
            }
        }
        return (values, gains)
    }

    private func armTable(
        _ study: CausalStudy, _ evaluation: PolicyEvaluation, _ allocation: TreatmentAllocation,
        _ effects: [[Double]], _ costs: [[Double]]?
    ) -> ResultTable {
        var table = ResultTable(
            "arms", "Who gets what",
            [
                .init("arm", "arm", .text), .init("rows", "rows", .count), .init("share", "share", .share),
                .init("mean_effect", "mean effect", .number), .init("mean_cost", "mean cost", .number),
            ])
        for (arm, label) in study.armLabels.enumerated() {
            let rows = allocation.decisions.indices.filter { allocation.decisions[$0] == Int32(arm) }
            let weight = rows.reduce(0) { $0 + evaluation.weights[$1] }
            func mean(_ value: (Int) -> Double) -> SpecValue {
                arm == 0 || weight == 0
                    ? .null : .number(rows.reduce(0) { $0 + evaluation.weights[$1] * value($1) } / weight)
            }
            table.append([
                .string(label), .integer(rows.count),
                .number(weight / max(evaluation.weights.reduce(0, +), .leastNonzeroMagnitude)),
                mean { effects[arm - 1][$0] }, mean { costs?[arm - 1][$0] ?? 1 },
            ])
        }
        return table
    }

    private func chart(_ values: ResultTable) -> Chart {
        let rows = values.rows.filter { $0[1] == "dr" }
        func numbers(_ index: Int) -> [Double] { rows.map { $0[index].doubleValue ?? .nan } }
        return Chart(
            "values", "Mean outcome under each policy", x: .init("policy"), y: .init("mean outcome"),
            series: [
                .init(
                    "doubly robust", .points, x: rows.indices.map { Double($0) }, y: numbers(2),
                    lower: numbers(4), upper: numbers(5))
            ],
            categories: rows.map { $0[0].stringValue ?? "" })
    }

    private func findings(_ gains: ResultTable, _ study: CausalStudy, treated: Double) -> [String] {
        guard treated > 0 else {
            return ["By this rule nobody is treated: no effect is large enough."]
        }
        var sentences: [String] = []
        for row in gains.rows where row[1] == "dr" {
            guard let name = row[0].stringValue, let gain = row[2].doubleValue,
                let lower = row[4].doubleValue,
                let upper = row[5].doubleValue
            else { continue }
            let over =
                switch name {
                case "nobody": "treating nobody"
                case "random": "treating as many at random"
                default: "treating " + name
                }
            let numbers =
                "\(Sentence.number(gain)) (\(Sentence.number(lower)) to \(Sentence.number(upper)))"
            sentences.append(
                sentences.isEmpty
                    ? "Treating \(limit.sentence), which is \(Sentence.share(treated)) of the rows, changes the mean of \(study.names.outcome) by \(numbers) compared with \(over)."
                    : "Compared with \(over) the change is \(numbers).")
        }
        return sentences
    }
}
