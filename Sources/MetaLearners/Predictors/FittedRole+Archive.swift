import MetaLearnersCore

extension FittedRole {
    /// The warnings of the models, each once, with how many models gave it.
    func warnings(name: String) -> [String] {
        let models = models.everyModel
        var counts: [(text: String, count: Int)] = []
        for warning in models.flatMap(\.warnings) {
            if let known = counts.firstIndex(where: { $0.text == warning }) {
                counts[known].count += 1
            } else {
                counts.append((warning, 1))
            }
        }
        return counts.map { "\(name): \($0.text) (\($0.count) of \(models.count) fits)" }
    }
}

extension CrossFittedModels {
    /// Writes the models, each with the name of its backend.
    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(foldModels.count))
        writer.write(fullModel != nil)
        for model in everyModel {
            writer.write(model.backendName)
            var inner = BinaryWriter()
            model.encode(to: &inner)
            writer.write(inner.bytes)
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Parameter outputCount: how many numbers a prediction of the role has.
    /// - Throws: `corruptModel`, `unsupported`.
    init(from reader: inout BinaryReader, outputCount: Int, _ registry: EstimatorRegistry)
        throws(MetaLearnersError)
    {
        let folds = try reader.readCount(elementSize: 16)
        let hasFull = try reader.readBool()
        guard folds > 0 || hasFull else { throw BinaryReader.corrupt("a role has no models") }
        var models: [any FittedEstimator] = []
        for _ in 0..<(folds + (hasFull ? 1 : 0)) {
            let backend = try reader.readString()
            let count = try reader.readCount(elementSize: 1)
            var inner = BinaryReader(try reader.readBytes(count))
            let model =
                backend == BlendedModel.backendName
                ? try BlendedModel.decode(from: &inner, registry) : try registry.decode(backend, from: &inner)
            guard inner.remaining == 0 else { throw BinaryReader.corrupt("a model is longer than it says") }
            guard model.outputCount == outputCount else {
                throw BinaryReader.corrupt("a model has the wrong number of outputs")
            }
            models.append(model)
        }
        let full = hasFull ? models.popLast() : nil
        self.init(foldModels: models, fullModel: full)
    }
}
