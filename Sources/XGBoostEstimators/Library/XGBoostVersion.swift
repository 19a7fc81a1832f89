/// A version of XGBoost.
struct XGBoostVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
    let major: Int32
    let minor: Int32
    let patch: Int32

    var description: String { "\(major).\(minor).\(patch)" }

    static func < (left: XGBoostVersion, right: XGBoostVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}
