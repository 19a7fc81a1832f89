import MetaLearnersCore

/// What is behind `mtlr_cancel_token`.
final class CancelTokenObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_7374_6f70  // "mtlrstop"
    static let typeName = "mtlr_cancel_token"

    let token = CancellationToken()
}
