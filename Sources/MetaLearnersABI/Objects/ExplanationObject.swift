import MetaLearners
import MetaLearnersCore

/// What is behind `mtlr_explanation`.
final class ExplanationObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_6578_706c  // "mtlrexpl"
    static let typeName = "mtlr_explanation"

    let explanation: Explanation
    let json: CText
    let featureNames: [CText]

    init(_ explanation: Explanation) throws(MetaLearnersError) {
        self.explanation = explanation
        json = try CText(explanation.summary.json())
        featureNames = try CText.list(explanation.featureNames)
    }
}
