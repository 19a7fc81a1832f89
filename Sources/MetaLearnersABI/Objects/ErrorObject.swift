import CMetaLearners
import MetaLearnersCore

/// What is behind `mtlr_error`: an error with its texts in C's memory.
final class ErrorObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_6572_7231  // "mtlrerr1"
    static let typeName = "mtlr_error"

    let status: mtlr_status
    let message: CText
    let problem: CText
    let location: CText?
    let remedy: CText?

    /// Copies the texts of `error`; nil where there is no memory for them.
    init?(_ error: MetaLearnersError) {
        do throws(MetaLearnersError) {
            status = error.kind.rawValue
            message = try CText(error.description)
            problem = try CText(error.problem)
            if let text = error.location { location = try CText(text) } else { location = nil }
            if let text = error.remedy { remedy = try CText(text) } else { remedy = nil }
        } catch {
            return nil
        }
    }
}
