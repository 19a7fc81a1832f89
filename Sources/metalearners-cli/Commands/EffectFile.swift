import MetaLearners
import MetaLearnersCore

/// Files of effects: a column `cate` for two arms, `cate_<arm>` for each arm but the control for more.
enum EffectFile {
    /// The effects of all rows of a table that a model was fitted to, on the spec's scale: out of fold where a row was
    /// used, and those of a new row where it was dropped.
    static func effects(
        of table: Table, _ dataset: CausalDataset, _ model: CATEModel, _ session: CommandSession
    ) throws(MetaLearnersError) -> Prediction {
        let request = PredictionRequest()
        let fitted = try model.predict(request, for: .training)
        guard let kept = dataset.sourceRows else { return fitted }
        var isKept = [Bool](repeating: false, count: table.rowCount)
        for row in kept { isKept[Int(row)] = true }
        let dropped = isKept.indices.compactMap { isKept[$0] ? nil : Int32($0) }
        let predicted = try model.predict(
            request, for: .new(table.selecting(rows: dropped)), session.execution)
        session.warn(predicted.warnings)
        var all: [[Double]] = []
        for (fitted, new) in zip(fitted.columns, predicted.columns) {
            var effects = [Double](repeating: .nan, count: table.rowCount)
            for (row, effect) in zip(kept, fitted) { effects[Int(row)] = effect }
            for (row, effect) in zip(dropped, new) { effects[Int(row)] = effect }
            all.append(effects)
        }
        return Prediction(names: fitted.names, columns: all, meaning: nil, warnings: predicted.warnings)
    }
}
