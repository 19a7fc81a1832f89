import MetaLearnersCore

/// Which average effects are asked for: the options that every estimator of them has.
public struct EffectQuestion: Sendable, Equatable {
    /// Over whom to average.
    public var estimand = Estimand.ate
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?
    /// A column: effects within the groups of rows that its values make are given as well; nil for none.
    public var by: String?
    /// How many groups a column of numbers is cut into.
    public var groups = 5

    /// Creates the question of the average over all rows.
    public init() {}
}

/// An average effect, and what is to be known of it.
struct EffectEstimate {
    /// The effect.
    let value: NormalEstimate
    /// How many rows it was computed from.
    let rows: Int
    /// What a reader must know of this number; nil for nothing.
    var note: String?
}

/// An estimator of average effects: an analysis that answers alone, with details, and a row in the table of all.
protocol EffectEstimator: Analysis {
    /// Over whom it can average.
    static var estimands: [Estimand] { get }
    /// What is asked.
    var question: EffectQuestion { get set }
    /// The key of the estimator in tables.
    var key: String { get }
    /// Over whom it averages in the table of all estimators.
    var tabulated: [Estimand] { get }
    /// What must hold for its estimates to be right, in whole sentences.
    var assumptions: [String] { get }

    /// Prepares the estimator for rows, and gives what estimates the effect of an arm over a population.
    ///
    /// - Throws: what makes every estimate impossible; what is given throws what makes one impossible.
    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation
}

/// Estimates the effect of an arm over a population.
typealias EffectEstimation = (Estimand, Int) throws(MetaLearnersError) -> EffectEstimate

extension EffectEstimator {
    var key: String { Self.name }
    var tabulated: [Estimand] { Self.estimands }

    /// The estimates of every arm that is asked about, and of every group.
    func answer(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult {
        var result = emptyResult
        let arms = try study.treatedArms(question.arm)
        var table = EffectTable("estimates", "Average effects over \(question.estimand.population)", question)
        try table.append(self, [question.estimand], arms, EffectSample(study), [])
        result.tables = [table.table]
        // A single question that cannot be answered is an error; of several, those that can be are.
        if arms.count == 1, let failure = table.failures.first { throw failure }
        for (arm, estimate) in table.estimates {
            result.findings.append(
                EffectSentences.finding(estimate, question.estimand, arm, study, level: question.level))
        }
        if let by = question.by {
            let groups = try RowGroups(study, by: by, count: question.groups)
            result.tables.append(try groupTable(study, groups, arms, scheduler))
        }
        result.assumptions = assumptions
        return result
    }

    private func groupTable(
        _ study: CausalStudy, _ groups: RowGroups, _ arms: [Int], _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> ResultTable {
        var table = EffectTable(
            "groups", "Average effects over \(question.estimand.population), by \(groups.column)", question,
            leading: [ResultTable.Column("group", groups.column, .text)])
        for (index, label) in groups.labels.enumerated() {
            try scheduler.context.checkCancellation()
            try table.append(
                self, [question.estimand], arms, EffectSample(study, rows: groups.rows(of: index)),
                [.string(label)])
        }
        return table.table
    }
}

/// A table with a row for each estimate, or for the reason why there is none.
struct EffectTable {
    private(set) var table: ResultTable
    /// The estimates of the rows that have one, by arm.
    private(set) var estimates: [(arm: Int, estimate: EffectEstimate)] = []
    /// Why other rows have none.
    private(set) var failures: [MetaLearnersError] = []
    private let level: Double

    /// Creates a table without rows.
    ///
    /// - Parameter leading: columns before those that every such table has.
    init(_ name: String, _ title: String, _ question: EffectQuestion, leading: [ResultTable.Column] = []) {
        level = question.level
        table = ResultTable(
            name, title,
            leading + [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("estimand", "estimand", .text),
                ResultTable.Column("estimator", "estimator", .text),
            ] + ResultTable.estimateColumns(level: question.level) + [
                ResultTable.Column("rows", "rows", .count), ResultTable.Column("note", "note", .text),
            ])
    }

    /// Appends the rows of an estimator.
    ///
    /// - Parameter leading: the values of the columns before those that every such table has.
    /// - Throws: `cancelled` alone: what else an estimator throws becomes the note of its row.
    mutating func append<Estimator: EffectEstimator>(
        _ estimator: Estimator, _ estimands: [Estimand], _ arms: [Int], _ sample: EffectSample,
        _ leading: [SpecValue]
    ) throws(MetaLearnersError) {
        var estimation: EffectEstimation?
        var failure: MetaLearnersError?
        do throws(MetaLearnersError) {
            estimation = try estimator.estimation(sample)
        } catch {
            failure = error
        }
        for estimand in estimands where Estimator.estimands.contains(estimand) {
            for arm in arms {
                let head: [SpecValue] =
                    leading + [
                        .string(sample.study.armLabels[arm]), .string(estimand.rawValue),
                        .string(estimator.key),
                    ]
                do throws(MetaLearnersError) {
                    if let failure { throw failure }
                    guard let estimate = try estimation?(estimand, arm) else { continue }
                    guard estimate.value.estimate.isFinite, estimate.value.stdError.isFinite else {
                        throw MetaLearnersError(
                            .numericalFailure, at: estimator.key, "the numbers overflow",
                            remedy: "give the outcome in another unit")
                    }
                    table.append(
                        head + ResultTable.cells(estimate.value, level: level) + [
                            .integer(estimate.rows), estimate.note.map { .string($0) } ?? .null,
                        ])
                    estimates.append((arm, estimate))
                } catch {
                    if error.kind == .cancelled { throw error }
                    failures.append(error)
                    let counts = sample.counts(arm)
                    table.append(
                        head + ResultTable.cells(nil, level: level) + [
                            .integer(counts.arm + counts.control),
                            .string("no estimate: \(error.problem)"),
                        ])
                }
            }
        }
    }
}

/// Sentences about average effects.
enum EffectSentences {
    /// The estimate as a sentence.
    static func finding(
        _ estimate: EffectEstimate, _ estimand: Estimand, _ arm: Int, _ study: CausalStudy, level: Double
    ) -> String {
        "Over \(estimand.population), arm '\(study.armLabels[arm])' changes '\(study.names.outcome)' by "
            + Sentence.number(estimate.value.estimate, with: [estimate.value.stdError])
            + " against '\(study.armLabels[0])' (\(NumberText.percent(level)) % interval "
            + Sentence.interval(estimate.value, level: level) + ", "
            + Sentence.pValue(estimate.value.pValue) + ")."
    }
}

extension Parameter where Spec: EffectEstimator {
    /// The options that every estimator has.
    static var question: [Parameter] {
        [
            .estimand(\.question.estimand, of: Spec.estimands), .level(\.question.level),
            .arm(\.question.arm), .by(\.question.by), .groups(\.question.groups),
        ]
    }
}

extension Parameter {
    /// The key `estimand`: over whom to average.
    static func estimand(
        _ path: any WritableKeyPath<Spec, Estimand> & Sendable, of estimands: [Estimand]
    ) -> Parameter {
        let names = estimands.map(\.rawValue)
        return Parameter(
            "estimand",
            "over whom to average: "
                + estimands.map { "\($0.population) (\($0.rawValue))" }.joined(separator: ", "),
            range: names.joined(separator: ", "),
            read: { value, place, spec throws(MetaLearnersError) in
                guard let text = value.stringValue else {
                    throw place.error(
                        "must be one of \(names.joined(separator: ", ")), not \(value.kindName)")
                }
                guard let estimand = Estimand(rawValue: text.lowercased()), estimands.contains(estimand)
                else {
                    throw place.error(
                        "is '\(text)', must be: \(names.joined(separator: ", "))",
                        remedy: Estimand(rawValue: text.lowercased()) == nil
                            ? nil : "the other estimators of 'metalearners analyses' have the others")
                }
                spec[keyPath: path] = estimand
            },
            write: { .string($0[keyPath: path].rawValue) })
    }

    /// The key `by`: the column whose values make groups.
    static func by(_ path: any WritableKeyPath<Spec, String?> & Sendable) -> Parameter {
        .optionalText("by", path, "column whose values make groups, each of which is answered for as well")
    }

    /// The key `groups`: how many groups numbers are cut into.
    static func groups(_ path: any WritableKeyPath<Spec, Int> & Sendable) -> Parameter {
        .integer(
            "groups", path, in: 2...1000,
            "how many groups of like size a column 'by' of numbers is cut into, where it has more values")
    }
}
