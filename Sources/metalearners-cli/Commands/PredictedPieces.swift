import MetaLearners
import MetaLearnersCore

/// Predictions of rows that come piece by piece, none of which is kept. Levels that training did not have are counted over all pieces, as
/// one warning; warnings of any other kind are those of single pieces, each text once.
struct PredictedPieces {
    private let model: CATEModel
    private let request: PredictionRequest
    private var unseen: [UnseenLevels] = []
    private var otherWarnings: [String] = []
    /// How many rows were predicted.
    private(set) var rowCount = 0
    /// What the predictions mean, where that does not go without saying.
    private(set) var meaning: String?

    init(_ model: CATEModel, _ request: PredictionRequest) {
        self.model = model
        self.request = request
    }

    /// Predicts the next rows.
    ///
    /// - Returns: the columns of the prediction.
    /// - Throws: what `CATEModel.predict(_:for:_:)` throws.
    mutating func predict(_ rows: Table, _ options: ExecutionOptions) throws(MetaLearnersError) -> [[Double]]
    {
        let prediction = try model.predict(request, for: .new(rows), options)
        let found = try AlignedRows(rows, model.schema, model.spec.data).unseen
        for levels in found {
            if let index = unseen.firstIndex(where: { $0.column == levels.column }) {
                unseen[index].rows += levels.rows
            } else {
                unseen.append(levels)
            }
        }
        let counted = found.map(\.warning)
        otherWarnings += prediction.warnings.filter { !counted.contains($0) && !otherWarnings.contains($0) }
        rowCount += prediction.rowCount
        meaning = prediction.meaning
        return prediction.columns
    }

    /// What a user is told: of the columns in the order in which the model has them, and then the rest.
    var warnings: [String] {
        let order = model.schema.fields.map(\.name)
        let all = order.compactMap { name in unseen.first { $0.column == name } }.map { levels in
            var levels = levels
            levels.rowCount = rowCount
            return levels.warning
        }
        return all + otherWarnings
    }
}
