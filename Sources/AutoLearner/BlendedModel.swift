import MetaLearners
import MetaLearnersCore

/// The nuisance models of `auto`: they are fitted together, not by a backend that a spec could name, and read back here.
enum BlendedModel {
    /// What stands for a backend's name in model files; frozen.
    static let backendName = "auto"

    /// The kinds of stacked models; frozen.
    enum Kind: UInt8 {
        /// A mean of probabilities, as it was once.
        case meanPropensity = 1
        case outcome = 2
        case propensity = 3
    }

    /// Reads a stacked model.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that the registry lacks.
    @Sendable
    static func decode(from reader: inout BinaryReader, _ registry: Registry) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        switch Kind(rawValue: try reader.read(UInt8.self)) {
        case .propensity: return try BlendedPropensity(from: &reader, registry)
        case .outcome: return try BlendedOutcome(from: &reader, registry)
        case .meanPropensity:
            throw MetaLearnersError(
                .incompatibleModel, at: "model", "its propensities are those of an older version of 'auto'",
                remedy: "fit it anew")
        case nil: throw BinaryReader.corrupt("a stacked model is of an unknown kind")
        }
    }

    /// Reads linear functions of a shared design.
    ///
    /// - Throws: `corruptModel`, `unsupported` where the registry has no backend that shares designs.
    static func functions(from reader: inout BinaryReader, _ registry: Registry) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        let ridge = try registry.estimators.makeEstimator(EstimatorChoice("ridge"), at: .root)
        guard let backend = ridge as? any SharedDesignEstimator else {
            throw MetaLearnersError(
                .unsupported, at: "model",
                "the backend 'ridge' cannot share encoded columns, which auto needs")
        }
        return try type(of: backend).decodeDesignModel(from: &reader)
    }
}
