import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// Makes a study of the files of a command: of a model and rows, or of a spec and rows that models are fitted to first.
struct StudyReader {
    let options: AnalysisOptions
    let specOptions: SpecOptions
    let dataOptions: DataOptions
    let runOptions: RunOptions
    /// Columns that analyses read beside the covariates.
    var dataColumns: [String] = []
    /// Those of them that are no covariates unless the spec lists them.
    var foreignColumns: [String] = []

    /// The study, with all that `needs` says.
    func study(_ inputs: InputFiles, for needs: StudyParts, _ session: CommandSession) throws -> CausalStudy {
        if let path = inputs.spec, InputFiles.isModel(path) {
            if let option = specOptions.firstGiven {
                throw ValidationError("\(option) changes a spec, and '\(path)' is a fitted model.")
            }
            return try ofModel(path, inputs.data, session)
        }
        return try ofSpec(inputs, for: needs, session)
    }

    /// What is read beside the columns of the spec: what was computed elsewhere, and what rows are grouped by.
    private func rules(_ rules: ColumnRules) -> ColumnRules {
        rules.reading(numbers: options.givenColumns, groups: [options.by].compactMap(\.self) + dataColumns)
    }

    private func ofModel(_ path: String, _ data: String, _ session: CommandSession) throws(MetaLearnersError)
        -> CausalStudy
    {
        let model = try CATEModel(contentsOf: path, registry: runOptions.registry())
        // Rows that the model was fitted to are read as they were for the fit, whose levels came from the file alone.
        let (pair, _) = try session.timed { () throws(MetaLearnersError) -> (Table, CausalDataset) in
            if let training = trainingRows(data, of: model, session) { return training }
            let rules = rules(ColumnRules(training: model.schema, model.spec.data))
            let table = try session.readTable(data, rules, dataOptions)
            return (table, try CausalDataset(table, model.spec.data))
        }
        let (table, dataset) = pair
        let given = try given(in: table, dataset)
        let (study, _) = try session.timed { () throws(MetaLearnersError) in
            try CausalStudy(model, on: dataset, ofClass: options.outcomeClass, session.execution)
                .replacing(given).grouping(by: table)
        }
        return study
    }

    /// The rows that the model was fitted to, where the file at `path` has them. Nil for other rows; standard input can be
    /// read only once and is taken for such.
    private func trainingRows(_ path: String, of model: CATEModel, _ session: CommandSession)
        -> (Table, CausalDataset)?
    {
        guard ByteSource.isRegularFile(path), let record = model.training,
            let table = try? session.readTable(path, rules(ColumnRules(model.spec.data)), dataOptions),
            table.rowCount >= record.outcome.count,
            let dataset = try? CausalDataset(table, model.spec.data),
            model.isFitted(to: dataset, Scheduler(session.execution).context)
        else { return nil }
        return (table, dataset)
    }

    private func ofSpec(_ inputs: InputFiles, for needs: StudyParts, _ session: CommandSession)
        throws(MetaLearnersError) -> CausalStudy
    {
        var spec = try specOptions.load(inputs.spec, seed: runOptions.seed)
        spec.data.exclude +=
            options.givenColumns.filter { !spec.data.exclude.contains($0) }
            + foreignColumns.filter { !spec.data.names($0) }
        let fitter = try MetaLearnerFitter(spec, registry: runOptions.registry())
        let (pair, _) = try session.timed { () throws(MetaLearnersError) -> (Table, CausalDataset) in
            let table = try session.readTable(
                inputs.data, rules(ColumnRules(fitter.spec.data)), dataOptions)
            return (table, try CausalDataset(table, fitter.spec.data))
        }
        let (table, dataset) = pair
        let given = try given(in: table, dataset)
        let (study, _) = try session.timed { () throws(MetaLearnersError) in
            try CausalStudy(
                fitter, on: dataset, for: needs, given: given, ofClass: options.outcomeClass,
                session.execution
            ).grouping(by: table)
        }
        return study
    }

    /// The columns of the file that were computed elsewhere.
    private func given(in table: Table, _ dataset: CausalDataset) throws(MetaLearnersError) -> GivenColumns {
        func numbers(_ names: [String], _ option: String) throws(MetaLearnersError) -> [[Double]]? {
            guard !names.isEmpty else { return nil }
            var columns: [[Double]] = []
            for name in names {
                let column = try table.requiredColumn(name, for: option)
                guard column.levels == nil else {
                    throw MetaLearnersError(
                        .invalidData, at: "column '\(name)'", "is text, and \(option) needs numbers")
                }
                columns.append(
                    dataset.sourceRows.map(column.values.doubles) ?? column.values.doubles())
            }
            return columns
        }
        return GivenColumns(
            effects: try numbers(options.effects, "--effects"),
            propensities: try numbers(options.propensities, "--propensities"),
            armMeans: try numbers(options.armMeans, "--arm-means"),
            trueEffects: try numbers(options.trueEffects, "--true-effects"),
            source: options.effects.joined(separator: ", "))
    }
}
