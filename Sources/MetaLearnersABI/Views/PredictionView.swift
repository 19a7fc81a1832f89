import CMetaLearners
import MetaLearners
import MetaLearnersCore

/// What the caller wants to be predicted, and where it is to be written.
struct PredictionView {
    let request: PredictionRequest
    let isOfTraining: Bool
    let dataset: CausalDataset?
    let rowStride: Int64
    let columnStride: Int64
    let dtype: mtlr_dtype

    /// The effects of new rows, as doubles row by row.
    static let standard = PredictionView(
        request: PredictionRequest(), isOfTraining: false, dataset: nil, rowStride: 0, columnStride: 0,
        dtype: MTLR_FLOAT64)

    /// The view; the standard one for NULL.
    ///
    /// - Throws: `invalidArgument` for a member that cannot be.
    static func read(_ pointer: UnsafePointer<mtlr_prediction>?) throws(MetaLearnersError) -> PredictionView {
        guard let pointer else { return standard }
        let view = try StructView.readGrowable(pointer, "prediction")
        var request = PredictionRequest(try output(view.output))
        request.scale = try scale(view.scale)
        if let arm = view.arm { request.arm = try CText.read(arm, "prediction.arm") }
        if let baseline = view.baseline {
            request.baseline = try CText.read(baseline, "prediction.baseline")
        }
        if view.level != 0 {
            guard view.level > 0, view.level < 1 else { throw unknown("level", "\(view.level)", "0 < x < 1") }
            request.level = view.level
        }
        guard view.rows == MTLR_NEW_ROWS || view.rows == MTLR_TRAINING_ROWS else {
            throw unknown("rows", "\(view.rows)", "MTLR_NEW_ROWS (0) or MTLR_TRAINING_ROWS (1)")
        }
        guard view.dtype == 0 || view.dtype == MTLR_FLOAT64 || view.dtype == MTLR_FLOAT32 else {
            throw unknown("dtype", "\(view.dtype)", "MTLR_FLOAT64 (1) or MTLR_FLOAT32 (2)")
        }
        var dataset: CausalDataset?
        if let handle = view.dataset {
            guard view.rows == MTLR_TRAINING_ROWS else {
                throw unknown("dataset", "given", "NULL for new rows")
            }
            dataset = try Handle.required(DatasetObject.self, handle, "prediction.dataset").dataset
        }
        return PredictionView(
            request: request, isOfTraining: view.rows == MTLR_TRAINING_ROWS, dataset: dataset,
            rowStride: view.row_stride, columnStride: view.column_stride,
            dtype: view.dtype == 0 ? MTLR_FLOAT64 : view.dtype)
    }

    private static func output(_ code: mtlr_output) throws(MetaLearnersError) -> PredictionRequest.Output {
        switch code {
        case MTLR_EFFECTS: return .effects
        case MTLR_ARM_MEANS: return .armMeans
        case MTLR_PROPENSITIES: return .propensities
        case MTLR_INTERVALS: return .intervals
        case MTLR_STABILITY: return .stability
        case MTLR_INDIVIDUAL_INTERVALS: return .individualIntervals
        default: throw unknown("output", "\(code)", "MTLR_EFFECTS (0) to MTLR_INDIVIDUAL_INTERVALS (5)")
        }
    }

    private static func scale(_ code: mtlr_effect_scale) throws(MetaLearnersError) -> EffectScale? {
        switch code {
        case MTLR_SCALE_OF_SPEC: return nil
        case MTLR_SCALE_DIFFERENCE: return .difference
        case MTLR_SCALE_RATIO: return .ratio
        case MTLR_SCALE_ODDS_RATIO: return .oddsRatio
        default: throw unknown("scale", "\(code)", "MTLR_SCALE_OF_SPEC (0) to MTLR_SCALE_ODDS_RATIO (3)")
        }
    }

    private static func unknown(_ member: String, _ value: String, _ range: String) -> MetaLearnersError {
        MetaLearnersError(.invalidArgument, at: "prediction.\(member)", "is \(value), must be: \(range)")
    }
}
