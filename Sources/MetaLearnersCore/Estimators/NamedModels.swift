extension FittedEstimator {
    /// Writes the model behind the name of its backend.
    package func encodeNamed(to writer: inout BinaryWriter) {
        writer.write(backendName)
        var inner = BinaryWriter()
        encode(to: &inner)
        writer.write(inner.bytes)
    }
}

extension BinaryReader {
    /// Reads what `encodeNamed` wrote.
    ///
    /// - Parameters:
    ///   - outputCount: how many numbers a prediction has.
    ///   - excluded: a name that cannot stand here: a model made of models is no part of another, so that no bytes lead
    ///     into each other without end.
    ///   - decode: reads a model of the backend of that name.
    /// - Throws: `corruptModel`, and what `decode` throws.
    package mutating func readNamed(
        outputCount: Int, excluding excluded: String? = nil,
        _ decode: (String, inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator
    ) throws(MetaLearnersError) -> any FittedEstimator {
        let backend = try readString()
        guard backend != excluded else {
            throw BinaryReader.corrupt("a model of '\(backend)' is part of another one")
        }
        let count = try readCount(elementSize: 1)
        var inner = BinaryReader(try readBytes(count))
        let model = try decode(backend, &inner)
        guard inner.remaining == 0 else { throw BinaryReader.corrupt("a model is longer than it says") }
        guard model.outputCount == outputCount else {
            throw BinaryReader.corrupt("a model has the wrong number of outputs")
        }
        return model
    }
}
