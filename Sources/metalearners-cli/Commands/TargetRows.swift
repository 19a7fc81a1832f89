import ArgumentParser
import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// The rows about which decisions are made.
struct TargetRows {
    let armLabels: [String]
    /// τ_k for each arm but the control, for each row of the file.
    let effects: [[Double]]
    /// The same for costs; nil where every row costs 1.
    let costs: [[Double]]?
    /// What the effects really are; nil but for simulated data.
    let trueEffects: [[Double]]?
    /// The cluster of each row, as codes from 0; nil where each row is decided by itself.
    let units: [Int32]?
    /// Fields that are copied.
    let kept: [KeptColumn]
    /// The rows themselves with their outcomes, or those that the model was fitted to; nil where the model has none.
    let study: CausalStudy?
    /// Where the rows of the study stand in the file; nil where the study is that of other rows.
    let studiedRows: [Int32]?
    /// Which rows have overlap; nil where all count (`overlap.policy: trim` leaves the others out).
    let hasOverlap: [Bool]?
    let warnings: [String]

    var count: Int { effects.first?.count ?? 0 }

    /// τ_k as treatment is decided by it: where rows compete for room, effects out of fold are set apart from the means of their folds
    /// (`CausalStudy.decidingEffects`). Rows without a part in the fit keep what is predicted.
    func decidingEffects(_ limit: TreatmentAllocation.Limit) throws(MetaLearnersError) -> [[Double]] {
        guard let study, let studiedRows else { return effects }
        var deciding = effects
        for (arm, values) in try study.decidingEffects(limit).enumerated() {
            for (row, value) in zip(studiedRows, values) { deciding[arm][Int(row)] = value }
        }
        return deciding
    }
}

/// Reads the rows of `target` and finds their effects.
struct TargetReader {
    let keep: [String]
    let costs: PolicyCosts
    /// Columns of true effects, for each arm but the control; none where they are not known.
    let trueEffects: [String]
    let byCluster: Bool
    let outcomeClass: String?
    let isTraining: Bool
    let specOptions: SpecOptions
    let dataOptions: DataOptions
    let runOptions: RunOptions

    private typealias Table = (table: MetaLearnersCore.Table, kept: [KeptColumn])

    func read(_ inputs: InputFiles, _ session: CommandSession) throws -> TargetRows {
        guard let path = inputs.spec, InputFiles.isModel(path) else {
            if isTraining {
                throw ValidationError("--training is for models: with a spec the rows are those of training.")
            }
            return try fitting(inputs, session)
        }
        if let option = specOptions.firstGiven {
            throw ValidationError("\(option) changes a spec, and '\(path)' is a fitted model.")
        }
        let model = try CATEModel(contentsOf: path, registry: runOptions.registry())
        if isTraining {
            let rows = try table(inputs.data, ColumnRules(model.spec.data), model.spec.data, session)
            return try ofTraining(rows, try CausalDataset(rows.table, model.spec.data), model, session)
        }
        return try ofNewRows(inputs.data, model, session)
    }

    private func table(
        _ path: String, _ rules: ColumnRules, _ data: DataSpec, _ session: CommandSession
    ) throws(MetaLearnersError) -> Table {
        let rules = rules.reading(
            numbers: costs.columns + trueEffects, groups: byCluster ? [data.cluster].compactMap(\.self) : [])
        let (rows, _) = try session.timed { () throws(MetaLearnersError) in
            try session.readRows(path, rules, dataOptions, keeping: keep)
        }
        return rows
    }

    private func ofNewRows(_ path: String, _ model: CATEModel, _ session: CommandSession)
        throws(MetaLearnersError) -> TargetRows
    {
        let rows = try table(path, ColumnRules(model.schema, model.spec.data), model.spec.data, session)
        let (prediction, _) = try session.timed { () throws(MetaLearnersError) in
            try model.predict(rows.table, session.execution)
        }
        let study = try? CausalStudy(model, ofClass: outcomeClass, session.execution)
        return TargetRows(
            armLabels: model.armLabels, effects: try ofClass(prediction.effects, model),
            costs: try costs.resolved(in: rows.table, armLabels: model.armLabels),
            trueEffects: try truth(rows.table, model.armLabels),
            units: try units(rows.table, model.spec.data), kept: rows.kept, study: study, studiedRows: nil,
            hasOverlap: try overlap(of: rows.table, model, session), warnings: prediction.warnings)
    }

    /// Which new rows have propensities that the model's averages take; nil for all, where nothing is trimmed.
    private func overlap(
        of table: MetaLearnersCore.Table, _ model: CATEModel, _ session: CommandSession
    ) throws(MetaLearnersError) -> [Bool]? {
        model.spec.overlap.policy == .trim ? try model.overlap(of: table, session.execution) : nil
    }

    private func fitting(_ inputs: InputFiles, _ session: CommandSession) throws(MetaLearnersError)
        -> TargetRows
    {
        var spec = try specOptions.load(inputs.spec, seed: runOptions.seed)
        // What treatment costs, and who somebody is, is nothing to learn effects from.
        spec.data.exclude += (costs.columns + trueEffects + keep).filter { !spec.data.names($0) }
        let fitter = try MetaLearnerFitter(spec, registry: runOptions.registry())
        let rows = try table(inputs.data, ColumnRules(fitter.spec.data), fitter.spec.data, session)
        let dataset = try CausalDataset(rows.table, fitter.spec.data)
        let (model, _) = try session.timed { () throws(MetaLearnersError) in
            try fitter.fit(dataset, session.execution)
        }
        return try ofTraining(rows, dataset, model, session)
    }

    /// Effects out of fold; rows that were dropped for want of an outcome get those of new rows.
    private func ofTraining(
        _ rows: Table, _ dataset: CausalDataset, _ model: CATEModel, _ session: CommandSession
    ) throws(MetaLearnersError) -> TargetRows {
        let study = try CausalStudy(model, on: dataset, ofClass: outcomeClass, session.execution)
        guard [.outOfFold, .inSample].contains(study.origin), let fitted = study.effects else {
            throw MetaLearnersError(
                .invalidArgument, at: "--training", "the rows are not those that the model was fitted to",
                remedy: "leave --training out to take them for new ones")
        }
        let studied = dataset.sourceRows ?? (0..<Int32(rows.table.rowCount)).map { $0 }
        var effects = fitted
        if let kept = dataset.sourceRows {
            let predicted = try model.predict(rows.table, session.execution)
            effects = try ofClass(predicted.effects, model)
            for arm in effects.indices {
                for (row, effect) in zip(kept, fitted[arm]) { effects[arm][Int(row)] = effect }
            }
        }
        return TargetRows(
            armLabels: model.armLabels, effects: effects,
            costs: try costs.resolved(in: rows.table, armLabels: model.armLabels),
            trueEffects: try truth(rows.table, model.armLabels),
            units: try units(rows.table, model.spec.data), kept: rows.kept, study: study,
            studiedRows: studied, hasOverlap: overlap(of: study, studied, count: rows.table.rowCount),
            warnings: model.warnings)
    }

    /// The overlap of a study's rows, in their places of the file. (Rows without an outcome have no part in the gain anyway.)
    private func overlap(of study: CausalStudy, _ rows: [Int32], count: Int) -> [Bool]? {
        guard let known = study.hasOverlap else { return nil }
        var all = [Bool](repeating: true, count: count)
        for (row, value) in zip(rows, known) { all[Int(row)] = value }
        return all
    }

    /// The true effects, where columns of them are named.
    private func truth(_ table: MetaLearnersCore.Table, _ labels: [String]) throws(MetaLearnersError)
        -> [[Double]]?
    {
        guard !trueEffects.isEmpty else { return nil }
        guard trueEffects.count == labels.count - 1 else {
            throw MetaLearnersError(
                .invalidArgument, at: "--true-effects",
                "names \(trueEffects.count) columns, must name \(labels.count - 1)",
                remedy: "give a column for each arm but the control")
        }
        var columns: [[Double]] = []
        for name in trueEffects {
            let values = try table.requiredColumn(name, for: "--true-effects").values.doubles()
            if let row = values.firstIndex(where: { !$0.isFinite }) {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(name)'", "\(table.places.name(row)) has no true effect",
                    remedy: "give a finite number for each row")
            }
            columns.append(values)
        }
        return columns
    }

    /// The effects on the class that is asked about.
    private func ofClass(_ effects: [[Double]], _ model: CATEModel) throws(MetaLearnersError) -> [[Double]] {
        let classes = model.outcomeKind.effectClasses
        guard !classes.isEmpty || outcomeClass != nil else { return effects }
        guard let label = outcomeClass, let index = classes.firstIndex(of: label) else {
            throw MetaLearnersError(
                .invalidArgument, at: "--class",
                outcomeClass.map { "there is no class '\($0)'" }
                    ?? "is missing: the outcome has the classes \(classes.joined(separator: ", "))",
                remedy: "name the class whose probability counts")
        }
        return stride(from: index, to: effects.count, by: classes.count).map { effects[$0] }
    }

    private func units(_ table: MetaLearnersCore.Table, _ data: DataSpec) throws(MetaLearnersError)
        -> [Int32]?
    {
        guard byCluster else { return nil }
        guard let name = data.cluster else {
            throw MetaLearnersError(
                .invalidArgument, at: "--by-cluster", "no column of clusters is known",
                remedy: "name it: data.cluster in the spec, or --cluster COLUMN")
        }
        let codes = try table.requiredColumn(name, for: "--by-cluster").asCategorical().codes() ?? []
        if let row = codes.firstIndex(where: { $0 < 0 }) {
            throw MetaLearnersError(
                .invalidData, at: "column '\(name)'", "\(table.places.name(row)) has no cluster",
                remedy: "complete it, or leave the row out")
        }
        return codes
    }
}
