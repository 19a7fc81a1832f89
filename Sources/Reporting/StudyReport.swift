import CausalAnalysis
import MetaLearnersCore

/// Everything that was asked of a study, ready to be shown: as one HTML page, or in short on a terminal.
package struct StudyReport: Sendable {
    /// The study.
    package let study: CausalStudy
    /// The answers, in the order of the questions.
    package let results: [AnalysisResult]
    /// What could not be answered, with the name of the analysis.
    package let failures: [(name: String, error: MetaLearnersError)]
    /// Whether all analyses were run: false where somebody interrupted.
    package let isComplete: Bool

    /// Runs analyses, the one after the other.
    ///
    /// What one of them cannot do keeps no other from its answer; an interrupt leaves what is done.
    package init(
        _ study: CausalStudy, _ analyses: [any Analysis], _ options: ExecutionOptions = ExecutionOptions()
    ) {
        var results: [AnalysisResult] = []
        var failures: [(name: String, error: MetaLearnersError)] = []
        var isComplete = true
        for analysis in analyses {
            do throws(MetaLearnersError) {
                let result = try analysis.run(study, options)
                results.append(result)
                if !result.isComplete { isComplete = false }
            } catch {
                if error.kind == .cancelled {
                    isComplete = false
                    break
                }
                failures.append((type(of: analysis).name, error))
            }
        }
        self.study = study
        self.results = results
        self.failures = failures
        self.isComplete = isComplete
    }

    /// What a report of a study has: every analysis that the study has what it needs for.
    package static func analyses(
        for study: CausalStudy, _ registry: AnalysisRegistry = .default
    ) -> [any Analysis] {
        AnalysisTopic.allCases.flatMap { topic in
            registry.analyses(of: [topic]).filter { $0.isPartOfReports }.map { $0.init() }
        }.filter { study.parts.isSuperset(of: $0.needs) }
    }

    /// The topics that were asked about, with their answers.
    var sections: [(topic: AnalysisTopic, results: [AnalysisResult])] {
        let registry = AnalysisRegistry.default
        return AnalysisTopic.allCases.compactMap { topic in
            let own = results.filter { (try? registry.analysis(named: $0.analysis))?.topic == topic }
            return own.isEmpty ? nil : (topic, own)
        }
    }

    /// The answers in short: the first finding of each topic, what works on average ahead of whether it can be told.
    package var answers: [String] {
        let first = sections.filter { $0.topic == .averageEffects }
        let others = sections.filter { $0.topic != .averageEffects }
        return (first + others).compactMap { $0.results.compactMap(\.findings.first).first }
    }

    /// The answers in short as text for a terminal.
    package func summary(width: Int = 100) -> String {
        ResultText.heading("In short") + answers.map { ResultText.item($0, width: width) }.joined()
    }

    /// The page: no script, nothing to fetch.
    package func html() -> String { ReportPage(self).html }
}
