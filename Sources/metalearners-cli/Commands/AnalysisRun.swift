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
        let needs = analyses.reduce(StudyParts()) { $0.union($1.needs) }
        let study = try study(inputs, for: needs, analyses.flatMap(\.dataColumns), session)
        session.warn(study.warnings)
        var results: [AnalysisResult] = []
        var failures: [(String, MetaLearnersError)] = []
        for analysis in analyses {
            do throws(MetaLearnersError) {
                results.append(
                    try session.finishing { () throws(MetaLearnersError) in
                        try analysis.run(study, session.execution)
                    })
                // What could not be finished is the last that there is.
                if Interruption.token.isCancelled { break }
            } catch {
                // An interrupt leaves what is done; what one analysis cannot do keeps no other from its answer.
                if error.kind == .cancelled { break }
                failures.append((type(of: analysis).name, error))
            }
        }
        try print(results, failures, study, session)
        if let failure = failures.first, results.isEmpty { throw failure.1 }
    }

    private func study(
        _ inputs: InputFiles, for needs: StudyParts, _ columns: [String], _ session: CommandSession
    ) throws -> CausalStudy {
        let reader = StudyReader(
            options: options, specOptions: specOptions, dataOptions: dataOptions, runOptions: runOptions,
            dataColumns: columns)
        return try reader.study(inputs, for: needs, session)
    }

    private func print(
        _ results: [AnalysisResult], _ failures: [(name: String, error: MetaLearnersError)],
        _ study: CausalStudy, _ session: CommandSession
    ) throws(MetaLearnersError) {
        if let folder = options.csv {
            for result in results {
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
                "results": .array(results.map(\.specValue)),
                "failures": .array(
                    failures.map { ["analysis": .string($0.name), "error": .string($0.error.description)] }),
                "warnings": .array(session.warnings.map { .string($0) }),
            ]
            try session.print(value.json(indented: true) + "\n")
            return
        }
        try session.print(results.map { ResultText.text($0) }.joined(separator: "\n"))
        for (name, error) in failures { StandardStreams.message("\(name): \(error.description)") }
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
