import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// Files of predictions for the rows that a model was fitted to: a line for each row of the file of data.
enum TrainingPredictions {
    /// Predictions for all rows of a table that a model was fitted to: out of fold where a row was used, and those of a new row where
    /// it was dropped.
    ///
    /// - Parameter rows: the rows that were used.
    static func make(
        _ request: PredictionRequest, of table: Table, _ dataset: CausalDataset, rows: PredictionRows,
        _ model: CATEModel, _ session: CommandSession
    ) throws(MetaLearnersError) -> Prediction {
        let fitted = try model.predict(request, for: rows, session.execution)
        guard let kept = dataset.sourceRows else { return fitted }
        var isKept = [Bool](repeating: false, count: table.rowCount)
        for row in kept { isKept[Int(row)] = true }
        let dropped = isKept.indices.compactMap { isKept[$0] ? nil : Int32($0) }
        let predicted = try model.predict(
            request, for: .new(table.selecting(rows: dropped)), session.execution)
        var all: [[Double]] = []
        for (fitted, new) in zip(fitted.columns, predicted.columns) {
            var effects = [Double](repeating: .nan, count: table.rowCount)
            for (row, effect) in zip(kept, fitted) { effects[Int(row)] = effect }
            for (row, effect) in zip(dropped, new) { effects[Int(row)] = effect }
            all.append(effects)
        }
        let count = NumberText.counted(dropped.count, "row")
        return Prediction(
            names: fitted.names, columns: all, meaning: fitted.meaning,
            warnings: fitted.warnings + predicted.warnings.filter { !fitted.warnings.contains($0) } + [
                "\(count) of \(table.rowCount) had no part in the fit: the predictions of these are those of new rows"
            ])
    }
}
