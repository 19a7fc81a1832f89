import MetaLearnersCore
import Reporting
import Tuning

/// What is behind `mtlr_tuning`.
final class TuningObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_7475_6e65  // "mtlrtune"
    static let typeName = "mtlr_tuning"

    let result: TuningResult
    let json: CText
    let csv: CText

    init(_ result: TuningResult) throws(MetaLearnersError) {
        self.result = result
        json = try CText(result.specValue.json())
        csv = try CText(ResultCSV.text(result.table))
    }
}
