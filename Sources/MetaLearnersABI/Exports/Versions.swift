import CMetaLearners
import MetaLearnersCore

/// The version as C wants it; nil only where there was no memory for it.
private let versionText = try? CText(Version.current)

@c @implementation
public func mtlr_abi_version() -> Int32 { MTLR_ABI_VERSION }

@c @implementation
public func mtlr_version() -> UnsafePointer<CChar>? { versionText?.pointer ?? CText.constant("unknown") }
