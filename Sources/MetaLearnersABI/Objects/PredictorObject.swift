import MetaLearners
import MetaLearnersCore

/// What is behind `mtlr_predictor`.
final class PredictorObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_7072_6564  // "mtlrpred"
    static let typeName = "mtlr_predictor"

    let predictor: RowPredictor
    let columnNames: [CText]
    let outputCount: Int
    /// The levels of each column; none of numbers.
    let levels: [[CText]]

    init(_ predictor: RowPredictor) throws(MetaLearnersError) {
        self.predictor = predictor
        columnNames = try CText.list(predictor.columnNames)
        outputCount = predictor.outputNames.count
        levels = try predictor.levels.map { levels throws(MetaLearnersError) in try CText.list(levels) }
    }
}
