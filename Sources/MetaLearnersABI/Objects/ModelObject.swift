import MetaLearners
import MetaLearnersCore

/// What is behind `mtlr_model`.
final class ModelObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_6d6f_6465  // "mtlrmode"
    static let typeName = "mtlr_model"

    let model: CATEModel
    let armLabels: [CText]
    /// The classes that effects are of; none where the outcome is one number.
    let classLabels: [CText]
    /// What serves single rows; nil where the model cannot.
    let rowView: RowView?

    init(_ model: CATEModel) throws(MetaLearnersError) {
        self.model = model
        armLabels = try CText.list(model.armLabels)
        classLabels = try CText.list(model.outcomeKind.effectClasses)
        rowView = try RowView(model)
    }
}
