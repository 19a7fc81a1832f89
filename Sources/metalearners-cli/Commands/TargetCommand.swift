import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import Reporting

/// `metalearners target`.
struct TargetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "target",
        abstract: "Decide whom to treat: CSV in, CSV with effects, ranks and decisions out.",
        usage: "metalearners target [<spec-or-model>] <data> -o <out.csv> [<options>]",
        discussion: """
            With a model, rows are taken for new ones (--training says otherwise); with a spec, the learner is fitted to the rows first, \
            and their effects are out of fold. Without --budget, --share or --threshold everybody is treated whose effect \
            is above 0. Rows come out in their order; equal effects are ranked in the order of rows. More of the outcome counts as \
            better: of an outcome of which less is better (churn, deaths, costs) fit the negative, or 1 - outcome where it is 0 or 1.
            """)

    @Argument(help: AnalysisCommands.first) var first: String
    @Argument(help: AnalysisCommands.second) var second: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write the decisions to; - is standard output.", valueName: "out.csv"))
    var output: String

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Columns to copy as they stand in the data, separated by commas: identifiers.",
            valueName: "columns"))
    var keep: [String] = []

    @Option(
        help: ArgumentHelp(
            "Spend at most this: so many rows, or with --cost that much money.", valueName: "amount"))
    var budget: Double?

    @Option(help: ArgumentHelp("Treat this share of the rows: 0.2 for a fifth.", valueName: "share"))
    var share: Double?

    @Option(
        help: ArgumentHelp(
            "Treat where the effect, or with --cost the effect for each unit of cost, is above this.",
            valueName: "number"))
    var threshold: Double?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "What treatment costs: a number or a column, or ARM=NUMBER-OR-COLUMN, repeated for each arm.",
            valueName: "cost"))
    var cost: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Column of true effects, where the data are simulated: what is decided is valued by them as well. Repeated for each arm but the control.",
            valueName: "column"))
    var trueEffects: [String] = []

    @Flag(help: "Treat clusters (data.cluster) as a whole.")
    var byCluster = false

    @Flag(help: "The rows are those that the model was fitted to; refused where they are not.")
    var training = false

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Of an outcome of several classes, the class whose probability is the outcome.",
            valueName: "label"))
    var outcomeClass: String?

    @Option(help: ArgumentHelp("The level of the interval of the gain.", valueName: "share"))
    var level = AverageEffect.standardLevel

    @Flag(help: "Print the summary as JSON.")
    var json = false

    @OptionGroup var specOptions: SpecOptions
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var runOptions: RunOptions

    func validate() throws {
        guard [budget, share, threshold].compactMap(\.self).count <= 1 else {
            throw ValidationError(
                "--budget, --share and --threshold are three ways to limit treatment: give one.")
        }
        for (option, value) in [("--budget", budget), ("--share", share), ("--threshold", threshold)] {
            guard let value else { continue }
            guard value.isFinite, option == "--threshold" || value > 0 else {
                throw ValidationError(
                    "\(option) is \(value), must be a number\(option == "--threshold" ? "" : " > 0").")
            }
        }
        if let share, share > 1 { throw ValidationError("--share is \(share), must be at most 1.") }
        guard level > 0, level < 1 else {
            throw ValidationError("--level is \(level), must be: number, 0 < x < 1.")
        }
    }

    /// What limits treatment.
    private var limit: TreatmentAllocation.Limit {
        if let budget { return .budget(budget) }
        if let share { return .share(share) }
        return .threshold(threshold ?? 0)
    }

    mutating func run() throws {
        let session = CommandSession(runOptions)
        let inputs = try InputFiles(first, second, of: "target", takesModel: true)
        let costs = try costs()
        var files = CommandFiles()
        files.reads("the spec or model", inputs.spec)
        files.reads("the data file", inputs.data)
        files.writes("-o", output)
        if output != "-" { files.writesStandardOutput() }
        try files.check()
        try OutputFile.requireWritable(output)
        let names = keep.flatMap { $0.split(separator: ",").map(String.init) }
        let reader = TargetReader(
            keep: names, costs: costs, trueEffects: trueEffects, byCluster: byCluster,
            outcomeClass: outcomeClass, isTraining: training,
            specOptions: specOptions, dataOptions: dataOptions, runOptions: runOptions)
        let rows = try reader.read(inputs, session)
        session.warn(rows.warnings)
        let limit = limit
        let (allocation, _) = try session.timed { () throws(MetaLearnersError) in
            try TreatmentAllocation(
                effects: try rows.decidingEffects(limit), costs: rows.costs, units: rows.units, limit: limit)
        }
        let blind = rows.hasOverlap.map { zip(allocation.decisions, $0).count { $0 > 0 && !$1 } } ?? 0
        if blind > 0 {
            session.warn([
                "\(blind) of \(allocation.treatedCount) treated rows have no overlap (overlap.policy: trim): no row like them is in the other arm, nothing but the model's form says what they gain, "
                    + "and the expected gain leaves them out"
            ])
        }
        // (Whatever rows are decided about: the gain is learnt from those of the fit.)
        if let study = rows.study, study.origin == .inSample {
            session.warn([study.ownEffectsWarning, study.ownNuisancesWarning].compactMap(\.self))
        }
        let (gain, random, note) = try gain(rows, allocation, costs)
        let truth = try rows.trueEffects.map { effects throws(MetaLearnersError) in
            try TargetingTruth(
                allocation, effects: effects, costs: rows.costs, units: rows.units, limit: limit)
        }
        _ = try session.timed { () throws(MetaLearnersError) in
            try Self.write(rows, allocation, to: output, session)
        }
        let summary = TargetSummary(
            rows: rows, allocation: allocation, limit: limit, gain: gain, random: random, truth: truth,
            note: note, warnings: session.warnings)
        if json {
            if output == "-" {
                StandardStreams.error(summary.specValue.json(indented: true) + "\n")
            } else {
                try session.print(summary.specValue.json(indented: true) + "\n")
            }
        } else if output == "-" {
            session.note(StandardStreams.oneLine(summary.text))
        } else {
            try session.report(summary.text)
        }
    }

    /// The costs that the command line states.
    private func costs() throws(MetaLearnersError) -> PolicyCosts {
        func value(_ text: Substring) -> SpecValue {
            Double(text).map { .number($0) } ?? .string(String(text))
        }
        let place = SpecPath.named("--cost")
        if cost.count == 1, !cost[0].contains("=") { return try PolicyCosts(value(cost[0][...]), at: place) }
        var object = SpecObject()
        for text in cost {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw MetaLearnersError(
                    .invalidArgument, at: "--cost",
                    "'\(text)' is not of the form ARM=COST, and there is more than one",
                    remedy: "give one cost for all arms, or ARM=COST for each")
            }
            object[String(parts[0])] = value(parts[1])
        }
        return cost.isEmpty ? PolicyCosts() : try PolicyCosts(.object(object), at: place)
    }

    /// What can be expected to be gained, by the rule and by as many treated at random, or why that cannot be said.
    private func gain(_ rows: TargetRows, _ allocation: TreatmentAllocation, _ costs: PolicyCosts)
        throws(MetaLearnersError) -> (gain: TargetingGain?, random: TargetingGain?, note: String?)
    {
        guard let study = rows.study else {
            return (nil, nil, "the model was saved without its training rows")
        }
        guard study.parts.isSuperset(of: .scores) else {
            return (nil, nil, "the model has no estimates of each arm's outcome")
        }
        let decisions =
            rows.hasOverlap.map { zip(allocation.decisions, $0).map { $1 ? $0 : 0 } } ?? allocation.decisions
        if let studied = rows.studiedRows {
            let decisions = studied.map { decisions[Int($0)] }
            return (
                try TargetingGain(study, decisions, level: level),
                try TargetingGain.atRandom(study, decisions, basis: .theseRows, level: level), nil
            )
        }
        let gain = try TargetingGain.ofTraining(
            study, allocation, decisions, of: rows.effects, limit,
            costs: costs.areConstant ? rows.costs.map { $0.map { $0.first ?? 1 } } ?? [] : nil,
            byCluster: byCluster, level: level)
        let random = try TargetingGain.atRandom(
            study, decisions, basis: .trainingRows, level: level)
        return (gain, random, gain == nil ? "the same rule treats no row of training" : nil)
    }

    private static func write(
        _ rows: TargetRows, _ allocation: TreatmentAllocation, to output: String, _ session: CommandSession
    ) throws(MetaLearnersError) {
        let isPair = rows.armLabels.count == 2
        let labels = rows.armLabels.enumerated().map { index, label in
            Array((isPair ? "\(index)" : ResultCSV.quoted(label)).utf8)
        }
        let names =
            rows.kept.map(\.name)
            + (isPair ? ["effect"] : rows.armLabels.dropFirst().map { "effect_" + $0 }) + [
                "rank", "decision",
            ]
        let (kept, effects) = (rows.kept, rows.effects)
        let comma = UInt8(ascii: ",")
        try CSVRows.write(names, count: rows.count, to: output, Scheduler(session.execution)) { row, text in
            for column in kept {
                column.write(row, to: &text)
                text.append(comma)
            }
            for values in effects {
                CSVRows.append(values[row], to: &text)
                text.append(comma)
            }
            CSVRows.append(Int64(allocation.ranks[row]), to: &text)
            text.append(comma)
            text.append(contentsOf: labels[Int(allocation.decisions[row])])
        }
    }
}
