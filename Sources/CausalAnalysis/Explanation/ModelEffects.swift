import MetaLearners
import MetaLearnersCore

/// The model behind a study, asked for the effects of rows that are not quite the study's: with a column shuffled, or held at a
/// value.
struct ModelEffects: Sendable {
    let model: CATEModel
    /// The data, with every column that the model may look at.
    let data: Table
    /// The class of the outcome that the study is about.
    let outcomeClass: Int
    /// The covariates by name, in the order of training.
    var names: [String] { model.schema.fields.map(\.name) }
    /// For each row, the model of which fold does not know it; nil where such models are not at hand.
    let folds: [Int32]?

    /// - Throws: `unsupported` where the study has no model.
    init(_ study: CausalStudy, for analysis: String) throws(MetaLearnersError) {
        try study.require([.model, .covariates], for: analysis)
        guard let fitting = study.fitting, let model = fitting.model else {
            throw MetaLearnersError(
                .unsupported, at: analysis, "needs a fitted model, and the study has none")
        }
        self.model = model
        data = fitting.dataset.everyColumn
        outcomeClass = fitting.outcomeClass ?? 0
        if study.origin == .outOfFold, let folds = study.folds, folds.isCrossFitted,
            model.foldCount >= folds.count
        {
            self.folds = Array(folds.folds)
        } else {
            folds = nil
        }
    }

    /// The effects of the rows of a table, for each arm but the control.
    func effects(_ table: Table, _ context: ExecutionContext) throws(MetaLearnersError) -> [[Double]] {
        let options = ExecutionOptions(threads: context.threads, cancellation: context.cancellation)
        return ofClass(try model.predict(table, options).effects)
    }

    /// The same where `rows` says which rows of the study they are: by models that did not see the row, where these are at hand.
    func outOfFold(_ table: Table, of rows: [Int32], _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        guard let folds else { return try effects(table, context) }
        var results = [[Double]](
            repeating: [Double](repeating: 0, count: rows.count), count: model.armLabels.count - 1)
        for fold in Set(rows.map { folds[Int($0)] }).sorted() {
            let places = rows.indices.filter { folds[Int(rows[$0])] == fold }.map { Int32($0) }
            var aligned = try AlignedRows(table.selecting(rows: places), model.schema, model.spec.data)
            let found = ofClass(
                fold < 0
                    ? try model.predictEffects(&aligned, .combined, context)
                    : try model.predictEffects(&aligned, .fold(Int(fold)), context))
            for (arm, values) in found.enumerated() {
                for (place, value) in zip(places, values) { results[arm][Int(place)] = value }
            }
        }
        return results
    }

    private func ofClass(_ effects: [[Double]]) -> [[Double]] {
        let width = model.outcomeKind.effectCount
        return stride(from: outcomeClass, to: effects.count, by: width).map { effects[$0] }
    }

    /// A column of the data by its name.
    ///
    /// - Throws: `invalidArgument` for a name that is no covariate of the model.
    func requireCovariates(_ asked: [String]) throws(MetaLearnersError) {
        for name in asked where !names.contains(name) {
            throw MetaLearnersError(
                .invalidArgument, at: "columns", "'\(name)' is no covariate of the model",
                remedy: SpellingSuggestion.clause(forName: name, in: names))
        }
        for (place, name) in asked.enumerated() where asked[..<place].contains(name) {
            throw MetaLearnersError(
                .invalidArgument, at: "columns", "names '\(name)' twice", remedy: "name it once")
        }
    }

    /// So many of the rows that have weight, drawn at random, ascending; all where there are no more.
    static func sample(_ study: CausalStudy, _ count: Int, seed: Int) -> [Int32] {
        let weights = study.rowWeights
        let all = weights.indices.filter { weights[$0] > 0 }.map { Int32($0) }
        guard all.count > count else { return all }
        var stream = RandomStream(seed: UInt64(truncatingIfNeeded: seed), path: 0x4558_504C)
        var rows: [Int32] = []
        stream.select(count, of: all.count) { place, isDrawn in if isDrawn { rows.append(all[place]) } }
        return rows
    }
}

extension Table {
    /// The table with another column in the place of the one of the same name.
    func replacing(_ column: Column) -> Table { mapping { $0.name == column.name ? column : $0 } }
}

extension Assumption {
    static let shiftedRows =
        "Values of a covariate are put into rows that it may never occur in: where covariates go together, the model is asked about people whom the data do not have."
}
