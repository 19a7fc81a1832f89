import ArgumentParser
import CausalAnalysis
import MetaLearnersCore
import Reporting

/// What commands that run analyses take.
struct AnalysisOptions: ParsableArguments {
    @Option(
        name: .customLong("only"), parsing: .singleValue,
        help: ArgumentHelp(
            "Run this analysis alone; may be repeated ('metalearners analyses' lists all).",
            valueName: "analysis"))
    var only: [String] = []

    @Option(
        name: .customLong("option"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set an option of the analyses that have it, or as ANALYSIS.KEY=VALUE of one; the value is YAML.",
            valueName: "key=value"))
    var settings: [String] = []

    @Option(
        help: ArgumentHelp(
            "Average over groups of rows by this column: the option 'by'.", valueName: "column"))
    var by: String?

    @Option(
        help: ArgumentHelp(
            "The arm that is compared with the control (default: every arm).", valueName: "label"))
    var arm: String?

    @Option(
        help: ArgumentHelp("The level of intervals, between 0 and 1 (default: 0.95).", valueName: "share"))
    var level: Double?

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Of an outcome of several classes, the class whose probability is the outcome.",
            valueName: "label"))
    var outcomeClass: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Column of effects computed elsewhere, in place of the learner's; repeated for each arm but the control.",
            valueName: "column"))
    var effects: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Column of propensities computed elsewhere: the treated arm's, or repeated for each arm, the control first.",
            valueName: "column"))
    var propensities: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Column of expected outcomes computed elsewhere; repeated for each arm, the control first.",
            valueName: "column"))
    var armMeans: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Column of true effects, where the data are simulated; repeated for each arm but the control.",
            valueName: "column"))
    var trueEffects: [String] = []

    @Option(
        help: ArgumentHelp("Folder to write every table to as ANALYSIS_TABLE.csv.", valueName: "folder"))
    var csv: String?

    @Flag(help: "Print the results as JSON.")
    var json = false

    /// The columns that were computed elsewhere: no covariates.
    var givenColumns: [String] { effects + propensities + armMeans + trueEffects }

    /// The first analysis without an answer that makes the command fail: one that was asked for by its name, one that cannot group by the
    /// column of `--by`, or any where no other has an answer.
    func unanswered(_ report: StudyReport) -> (name: String, error: MetaLearnersError)? {
        report.failures.first { failure in
            report.results.isEmpty || only.contains(failure.name)
                || by != nil && failure.error.location == "by"
        }
    }

    /// The analyses that are asked for, with their options.
    ///
    /// - Parameter topics: the questions of the command.
    /// - Throws: `invalidSpec` for an analysis or an option that there is not, or a value out of its range.
    func analyses(_ registry: AnalysisRegistry, of topics: Set<AnalysisTopic>) throws(MetaLearnersError)
        -> [any Analysis]
    {
        var types = registry.analyses(of: topics)
        if only.isEmpty {
            // A column to group by asks for the averages of its groups.
            types.removeAll { !$0.runsByDefault && (by == nil || $0.name != GroupEffectsAnalysis.name) }
            // Nobody but a simulation knows the truth.
            if trueEffects.isEmpty { types.removeAll { $0.init().needs.contains(.trueEffects) } }
            // Effects of others come without their model.
            if !effects.isEmpty { types.removeAll { $0.init().needs.contains(.model) } }
        } else {
            types = []
            for name in only { types.append(try registry.analysis(named: name, at: .named("--only"))) }
        }
        var requests = types.map { _ in SpecValue.object(SpecObject()) }
        for setting in try allSettings() {
            var isUsed = false
            for (index, type) in types.enumerated() {
                guard let override = try setting.override(for: type) else { continue }
                try override.apply(to: &requests[index])
                isUsed = true
            }
            guard isUsed else {
                throw MetaLearnersError(
                    .invalidSpec, at: setting.place,
                    "no analysis that is run has the option '\(setting.key)'",
                    remedy: "'metalearners analyses' lists the options of each")
            }
        }
        var analyses: [any Analysis] = []
        for (type, request) in zip(types, requests) {
            analyses.append(try type.init(request, at: .named(type.name)))
        }
        return analyses
    }

    private func allSettings() throws(MetaLearnersError) -> [Setting] {
        var all: [Setting] = []
        if let by { all.append(Setting(place: "--by", key: "by", value: .string(by))) }
        if let arm { all.append(Setting(place: "--arm", key: "arm", value: .string(arm))) }
        if let level { all.append(Setting(place: "--level", key: "level", value: .number(level))) }
        for text in settings {
            let override = try SpecOverride(parsing: text, option: "--option")
            all.append(
                Setting(
                    place: "--option \(text)", key: override.path.joined(separator: "."),
                    value: override.value))
        }
        return all
    }

    /// An option for those analyses that have it.
    private struct Setting {
        let place: String
        let key: String
        let value: SpecValue

        /// What it changes of an analysis; nil where the analysis has no such option.
        func override(for type: any Analysis.Type) throws(MetaLearnersError) -> SpecOverride? {
            let keys = key.split(separator: ".").map(String.init)
            let own = keys.first == type.name ? Array(keys.dropFirst()) : keys
            guard let first = own.first,
                keys.first == type.name
                    || type.init().parameterDescriptions.contains(where: { $0.name == first })
            else { return nil }
            return SpecOverride(own.joined(separator: "."), value)
        }
    }
}
