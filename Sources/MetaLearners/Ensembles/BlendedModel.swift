import MetaLearnersCore

/// The nuisance models of `auto`: they are fitted together, not by a backend that a spec could name, and read back here.
enum BlendedModel {
    /// What stands for a backend's name in model files; frozen.
    static let backendName = "auto"

    /// The kinds of stacked models; frozen.
    enum Kind: UInt8 {
        case propensity = 1
        case outcome = 2
    }

    /// Reads a stacked model.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that the registry lacks.
    static func decode(from reader: inout BinaryReader, _ registry: EstimatorRegistry)
        throws(MetaLearnersError) -> any FittedEstimator
    {
        switch Kind(rawValue: try reader.read(UInt8.self)) {
        case .propensity: return try BlendedPropensity(from: &reader, registry)
        case .outcome: return try BlendedOutcome(from: &reader, registry)
        case nil: throw BinaryReader.corrupt("a stacked model is of an unknown kind")
        }
    }
}
