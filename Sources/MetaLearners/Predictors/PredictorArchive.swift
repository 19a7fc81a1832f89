import MetaLearnersCore

/// The section `predictor` of a model file: the kind's tag, then what that kind wrote.
enum PredictorArchive {
    /// What a predictor is read in the light of.
    struct Surroundings {
        let spec: MetaLearnerSpec
        let armCount: Int
        let outcomeKind: Outcome.Kind
        /// Whether propensities are known by design, so that there are no models of them.
        let knowsPropensities: Bool
        let registry: EstimatorRegistry
    }

    /// Every kind of predictor.
    private static let kinds: [any EffectPredictor.Type] = [
        LearnerPredictor.self, AutoPredictor.self, EnsemblePredictor.self,
    ]

    static func encode(_ predictor: any EffectPredictor, to writer: inout BinaryWriter) {
        writer.write(type(of: predictor).tag)
        predictor.encode(to: &writer)
    }

    /// - Throws: `corruptModel` for an unknown tag, and what the predictor throws.
    static func decode(from reader: inout BinaryReader, _ model: Surroundings) throws(MetaLearnersError)
        -> any EffectPredictor
    {
        let tag = try reader.readString()
        guard let kind = kinds.first(where: { $0.tag == tag }) else {
            throw BinaryReader.corrupt("it has an unknown kind of predictor '\(tag)'")
        }
        return try kind.init(from: &reader, model)
    }
}
