import MetaLearnersCore

/// A policy of few rules that people can read, follow and argue about.
public struct PolicyTreeAnalysis: Analysis {
    public static let name = "policy_tree"
    public static let title = "A policy of few rules"
    public static let summary = "Which few questions say best who should be treated, and what is that worth?"
    public static let topic = AnalysisTopic.policy
    public static let parameters: [Parameter<PolicyTreeAnalysis>] = [
        .integer(
            "depth", \.depth, in: 1...3,
            "questions on the way to each decision; 1 and 2 are searched exhaustively, 3 by looking two questions ahead"
        ),
        .integer("min_leaf", \.minLeaf, in: 1...Int(Int32.max), "rows that each decision must have"),
        .texts("columns", \.columns, "the columns that may be asked for; every covariate where empty"),
        .integer(
            "max_bins", \.maxBins, in: 0...1_000_000,
            "thresholds of each column at most, by equal counts; 0 for every value"),
        .cost(
            \.cost,
            "what treatment costs in units of the outcome, which its gain must exceed; nothing where absent"),
        .integer(
            "folds", \.folds, in: 2...100,
            "folds of the honest value: each row is decided by a tree that did not see it"),
        .level(\.level), .seed(\.seed),
    ]

    /// Questions on the way to each decision.
    public var depth = 2
    /// Rows that each decision must have.
    public var minLeaf = 1
    /// The columns that may be asked for.
    public var columns: [String] = []
    /// Thresholds of each column at most.
    public var maxBins = 0
    /// What treatment costs in units of the outcome.
    public var cost = PolicyCosts()
    /// Folds of the honest value.
    public var folds = 5
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The seed of the folds.
    public var seed = 1

    public init() {}

    public var needs: StudyParts { [.scores, .covariates] }

    public var dataColumns: [String] { cost.columns }
    public var foreignColumns: [String] { cost.columns }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let evaluation = try PolicyEvaluation(study)
        let scores = try netScores(study, evaluation)
        let (treeColumns, warnings) = PolicyTreeColumn.columns(of: try asked(study), most: maxBins)
        guard !treeColumns.isEmpty else {
            throw MetaLearnersError(
                .invalidArgument, at: "columns", "none of them has two values to tell apart")
        }
        let search = PolicyTreeSearch(
            columns: treeColumns, scores: scores.map { zip($0, evaluation.weights).map { $0 * $1 } },
            leastRows: minLeaf)
        let rows = evaluation.weights.indices.filter { evaluation.weights[$0] > 0 }.map { Int32($0) }
        guard rows.count >= 2 * minLeaf else {
            throw MetaLearnersError(
                .invalidArgument, at: "min_leaf",
                "is \(minLeaf), and there are only \(rows.count) rows to decide about",
                remedy: "lower it")
        }
        let tree = try search.tree(depth, rows, scheduler)
        let decisions = tree.decisions(treeColumns, rowCount: study.rowCount)

        var result = emptyResult
        result.warnings = warnings
        result.assumptions = PolicyEvaluation.assumptions
        result.values["tree"] = tree.specValue(treeColumns, study.armLabels)
        result.values["depth"] = .integer(depth)
        result.rowColumns = [RowColumn("decision", decisions.map { Double($0) }, labels: study.armLabels)]
        let rules = rules(tree, treeColumns, study, evaluation, scores)
        result.tables = [rules]
        var honest: [Int32]?
        do throws(MetaLearnersError) {
            honest = try outOfFoldDecisions(search, rows, study, scheduler)
        } catch {
            guard error.kind == .cancelled else { throw error }
            result.isComplete = false
        }
        if let honest {
            let gains = gains(honest, study, evaluation, scores)
            result.tables.append(gains)
            result.findings = findings(rules, gains, study)
            let agreement = rows.filter { honest[Int($0)] == decisions[Int($0)] }.count
            result.values["agreement"] = .number(Double(agreement) / Double(rows.count))
            if Double(agreement) < 0.8 * Double(rows.count) {
                result.warnings.append(
                    "The trees of the folds decide otherwise for \(Sentence.share(1 - Double(agreement) / Double(rows.count))) of the rows: the rules themselves are uncertain."
                )
            }
        }
        return result
    }

    /// Γ_k less the cost of the arm.
    private func netScores(_ study: CausalStudy, _ evaluation: PolicyEvaluation) throws(MetaLearnersError)
        -> [[Double]]
    {
        let costs = try cost.resolved(in: study.columns, armLabels: study.armLabels)
        return (0..<study.armCount).map { arm in
            let scores = evaluation.scores(arm: arm)
            guard let costs, arm > 0 else { return scores }
            return zip(scores, costs[arm - 1]).map { $0 - $1 }
        }
    }

    private func asked(_ study: CausalStudy) throws(MetaLearnersError) -> Table {
        guard !columns.isEmpty else { return study.covariates }
        var chosen: [Column] = []
        for name in columns { chosen.append(try study.columns.requiredColumn(name, for: "columns")) }
        return try Table(chosen, places: study.columns.places)
    }

    /// What trees that did not see a row decide for it; whole clusters are held out together.
    private func outOfFoldDecisions(
        _ search: PolicyTreeSearch, _ rows: [Int32], _ study: CausalStudy, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> [Int32] {
        var units = Array(Set(rows.map { study.clusters?[Int($0)] ?? $0 })).sorted()
        var stream = RandomStream(seed: UInt64(seed), path: 0x504F_4C54)
        stream.shuffle(&units)
        let count = min(folds, units.count)
        guard count > 1 else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds", "there is only one cluster, and none could be held out")
        }
        let foldOf = Dictionary(uniqueKeysWithValues: units.enumerated().map { ($1, $0 % count) })
        let fold = rows.map { foldOf[study.clusters?[Int($0)] ?? $0] ?? 0 }
        var decisions = [Int32](repeating: 0, count: study.rowCount)
        for held in 0..<count {
            let seen = zip(rows, fold).filter { $1 != held }.map { $0.0 }
            let tree = try search.tree(depth, seen, scheduler)
            for (row, own) in zip(rows, fold) where own == held {
                decisions[Int(row)] = tree.decision(search.columns, row: Int(row))
            }
        }
        return decisions
    }

    /// A row for each decision: who, which arm, how many, what they gain.
    private func rules(
        _ tree: PolicyTree, _ columns: [PolicyTreeColumn], _ study: CausalStudy,
        _ evaluation: PolicyEvaluation,
        _ scores: [[Double]]
    ) -> ResultTable {
        var table = ResultTable(
            "rules", "The rules",
            [
                .init("rule", "who", .text), .init("arm", "arm", .text), .init("rows", "rows", .count),
                .init("share", "share", .share),
            ] + ResultTable.estimateColumns("gain over the control", level: level)
                + [.init("note", "note", .text)])
        let total = evaluation.weights.reduce(0, +)
        var leafOf = [Int](repeating: 0, count: study.rowCount)
        let leaves = tree.leaves(columns)
        for row in 0..<study.rowCount {
            var node = tree.root
            var path: [Bool] = []
            while case .split(let column, let bin, let left, let right) = node {
                let isLeft = columns[column].bins[row] <= bin
                path.append(isLeft)
                node = isLeft ? left : right
            }
            leafOf[row] = leaves.firstIndex { $0.path == path } ?? 0
        }
        for (index, leaf) in leaves.enumerated() {
            let members = (0..<study.rowCount).filter { leafOf[$0] == index && evaluation.weights[$0] > 0 }
            let weights = (0..<study.rowCount).map { leafOf[$0] == index ? evaluation.weights[$0] : 0 }
            let estimate = NormalEstimate(
                scores: zip(scores[leaf.arm], scores[0]).map { $0 - $1 },
                shares: [Double](repeating: 1, count: study.rowCount), weights: weights,
                clusters: study.clusters)
            table.append(
                [
                    .string(
                        leaf.conditions.isEmpty ? "everybody" : leaf.conditions.joined(separator: " and ")),
                    .string(study.armLabels[leaf.arm]), .integer(members.count),
                    .number(weights.reduce(0, +) / total),
                ]
                    + (leaf.arm == 0
                        ? [.number(0), .null, .null, .null, .null, "the control itself"]
                        : ResultTable.cells(estimate, level: level)))
        }
        return table
    }

    /// The honest gain over treating nobody, and over every arm for everybody. Its errors allow for folds that find each other's rules.
    private func gains(
        _ decisions: [Int32], _ study: CausalStudy, _ evaluation: PolicyEvaluation, _ scores: [[Double]]
    ) -> ResultTable {
        var table = ResultTable(
            "gains", "Honest gain of such rules over others",
            [.init("over", "over", .text)] + ResultTable.estimateColumns("gain", level: level))
        let own = decisions.indices.map { scores[Int(decisions[$0])][$0] }
        for arm in 0..<study.armCount {
            let label = study.armCount == 2 ? "everybody" : "everybody in arm \(study.armLabels[arm])"
            table.append(
                [.string(arm == 0 ? "nobody" : label)]
                    + ResultTable.cells(
                        evaluation.difference(own, scores[arm]).withError(
                            times: FoldLevels.orderingErrorFactor), level: level))
        }
        return table
    }

    private func findings(_ rules: ResultTable, _ gains: ResultTable, _ study: CausalStudy) -> [String] {
        var sentences = rules.rows.map { row in
            let (rule, arm) = (row[0].stringValue ?? "", row[1].stringValue ?? "")
            return (rule == "everybody" ? "Everybody" : "Where \(rule)") + ": arm \(arm)."
        }
        for row in gains.rows {
            guard let over = row[0].stringValue, let gain = row[1].doubleValue,
                let lower = row[3].doubleValue,
                let upper = row[4].doubleValue
            else { continue }
            sentences.append(
                "Rules found this way change the mean of \(study.names.outcome)\(cost.entries.isEmpty ? "" : ", less the cost,") by \(Sentence.number(gain)) (\(Sentence.number(lower)) to \(Sentence.number(upper))) compared with treating \(over), by rows that their tree did not see."
            )
        }
        return sentences
    }
}
