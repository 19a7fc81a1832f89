import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Reporting

/// What every command that runs analyses does: reads spec (or model) and data, fits what is needed, runs the analyses of its
/// topics, and prints their answers.
struct AnalysisRun {
    let command: String
    let topics: Set<AnalysisTopic>
    let options: AnalysisOptions
    let specOptions: SpecOptions
    let dataOptions: DataOptions
    let runOptions: RunOptions

    /// Runs the command on the two files that it was given.
    func run(_ first: String, _ second: String?) throws {
        let session = CommandSession(runOptions)
        let inputs = try InputFiles(first, second, of: command, takesModel: true)
        let analyses = try options.analyses(.default, of: topics)
        var files = CommandFiles()
        files.reads("the spec or model", inputs.spec)
        files.reads("the data file", inputs.data)
        if let folder = options.csv { try files.writes("--csv", folder: folder, for: analyses) }
        files.writesStandardOutput()
        try files.check()
        let report = try answer(analyses, inputs, session)
        try print(report, session)
        if let failure = options.unanswered(report) { throw failure.error }
    }

    /// Fits what the analyses need and runs them.
    func answer(_ analyses: [any Analysis], _ inputs: InputFiles, _ session: CommandSession) throws
        -> StudyReport
    {
        let needs = analyses.reduce(StudyParts()) { $0.union($1.needs) }
        let reader = StudyReader(
            options: options, specOptions: specOptions, dataOptions: dataOptions, runOptions: runOptions,
            dataColumns: analyses.flatMap(\.dataColumns),
            foreignColumns: analyses.flatMap(\.foreignColumns))
        let study = try reader.study(inputs, for: needs, session)
        session.warn(study.warnings)
        defer { session.clear() }
        return StudyReport(study, analyses, session.execution)
    }

    private func print(_ report: StudyReport, _ session: CommandSession) throws(MetaLearnersError) {
        let study = report.study
        if let folder = options.csv {
            for result in report.results {
                for table in result.tables {
                    try OutputFile.write(
                        Array(ResultCSV.text(table).utf8),
                        to: "\(folder)/\(result.analysis)_\(table.name).csv")
                }
            }
        }
        if options.json {
            let value: SpecValue = [
                "source": .string(study.source), "origin": .string(study.origin.rawValue),
                "rows": .integer(study.rowCount), "arms": .array(study.armLabels.map { .string($0) }),
                "results": .array(report.results.map(\.specValue)),
                "failures": .array(
                    report.failures.map {
                        ["analysis": .string($0.name), "error": .string($0.error.description)]
                    }),
                "complete": .boolean(report.isComplete),
                "warnings": .array(session.warnings.map { .string($0) }),
            ]
            try session.print(value.json(indented: true) + "\n")
            return
        }
        try session.print(ResultText.text(report.results))
        if !report.isComplete { StandardStreams.message("interrupted: what was ready is printed") }
        for failure in report.failures where failure.name != options.unanswered(report)?.name {
            StandardStreams.message("\(failure.name): \(failure.error.description)")
        }
    }
}

extension CommandFiles {
    /// The tables that analyses may write into a folder, which is made where it is not there.
    ///
    /// - Throws: `inputOutput`.
    fileprivate mutating func writes(_ option: String, folder: String, for analyses: [any Analysis])
        throws(MetaLearnersError)
    {
        try OutputFolder.make(folder)
        try OutputFile.requireWritable(folder + "/.metalearners")
    }
}
