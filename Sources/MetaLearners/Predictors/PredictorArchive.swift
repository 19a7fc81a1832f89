import MetaLearnersCore

/// The section `predictor` of a model file: the kind's tag, then what that kind wrote.
enum PredictorArchive {
    /// What a predictor is read in the light of.
    struct Surroundings {
        let spec: MetaLearnerSpec
        let armLabels: [String]
        let schema: CovariateSchema
        let outcomeKind: Outcome.Kind
        let registry: EstimatorRegistry

        /// The covariates that a model of the spec sees; nil for all.
        ///
        /// - Throws: `corruptModel` for columns that the model does not have.
        func columns(of placed: ModelsSpec.Placed) throws(MetaLearnersError) -> [Int]? {
            do throws(MetaLearnersError) {
                return try placed.model.columns.positions(
                    in: schema.fields.map(\.name), at: placed.place.appending("columns"))
            } catch {
                throw BinaryReader.corrupt("its spec names columns that it does not have")
            }
        }
    }

    /// Every kind of predictor.
    private static let kinds: [any EffectPredictor.Type] = [LearnerPredictor.self]

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
